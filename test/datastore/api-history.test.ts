import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openMemoryDatastore } from "../../pkg/datastore/memory/memory-datastore.ts";
import { openSqliteDatastore } from "../../pkg/datastore/sqlite/sqlite-datastore.ts";
import { startApiWorld } from "../server/api-world.ts";
import { ApiClients } from "./api-clients.ts";
import { Random } from "./random.ts";
import { violationsOf } from "./validate.ts";

const worlds = [
  { name: "memory", sqlite: false, eventsMax: 16_384 },
  { name: "SQLite", sqlite: true, eventsMax: 16_384 },
  // Watches and lists of what was a moment ago find it forgotten.
  { name: "memory that forgets soon", sqlite: false, eventsMax: 12 },
];

describe("what clients are told over the wire is one history", () => {
  test.each(worlds)(
    "over $name",
    async ({ sqlite, eventsMax }) => {
      const directory = await mkdtemp(join(tmpdir(), "mini8s-history-"));
      const file = join(directory, "state.db");
      const datastore = sqlite ? await openSqliteDatastore({ file }) : openMemoryDatastore();
      const world = await startApiWorld({ datastore, window: { eventsMax } });
      const random = new Random(1);
      const clients = new ApiClients(world, random);
      await clients.prepare();
      const early = Array.from({ length: 6 }, () => clients.watch(world.session(), "at once"));
      const starved = Array.from({ length: 2 }, () => clients.watch(world.session(), "late"));
      await Promise.all(Array.from({ length: 8 }, () => clients.work(40)));
      // From versions of all ages.
      const late = Array.from({ length: 8 }, () => clients.watch(world.session(), "at once"));
      await Promise.all(Array.from({ length: 8 }, () => clients.work(40)));
      const last = Number(await clients.finish());
      // Of blue ones, the last change tells nothing.
      const all = [...early, ...starved, ...late];
      await Promise.all(all.map((watch) => watch.readUntil(watch.selectsLast ? last : 0)));
      await world[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
      expect(clients.violations).toEqual([]);
      expect(violationsOf(clients.history).slice(0, 10)).toEqual([]);
      const expired = clients.history.some(
        (one) =>
          (one.what === "read" && one.outcome === "expired") ||
          (one.what === "watch" && one.steps.at(-1)?.type === "expired"),
      );
      expect(expired).toBe(eventsMax < 100);
      const writes = clients.history.filter(({ what }) => what === "write");
      expect(writes.length).toBeGreaterThan(150);
      expect(writes.some((write) => write.what === "write" && write.outcome === "refused")).toBe(
        true,
      );
    },
    60_000,
  );
});
