import { statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSqliteDatastore } from "../../pkg/datastore/sqlite/sqlite-datastore.ts";
import { recordDisk } from "./disk-recording.ts";
import { updateMany } from "./million-updates.ts";

const writer = new URL("./lazy-writer.ts", import.meta.url).pathname;
const mebibyte = 1024 * 1024;

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "mini8s-bounded-"));
});
afterAll(() => rm(directory, { recursive: true }));

test("any number of updates stays under the cap of the file, and none is refused", async () => {
  const cap = 40 * mebibyte;
  const result = await updateMany(join(directory, "updates.db"), 100_000, cap);
  // History alone would be three times as much.
  expect(result.fileBytesMax).toBeGreaterThan(5 * mebibyte);
  expect(result.fileBytesMax).toBeLessThanOrEqual(cap);
  expect(result.logBytesMax).toBeLessThan(12 * mebibyte);
}, 300_000);

test("what was freed is given back to the disk while the store goes on", async () => {
  const file = join(directory, "freed.db");
  await using store = await openSqliteDatastore({
    file,
    history: { eventsMax: 10 },
    logPagesMax: 200,
  });
  const value = new Uint8Array(10_000);
  const made = await Promise.all(
    Array.from({ length: 3_000 }, (_, index) => store.create(`k/${index}`, value)),
  );
  expect(statSync(file).size).toBeGreaterThan(25 * mebibyte);
  await Promise.all(
    made.map((result, index) =>
      store.delete(`k/${index}`, result.outcome === "written" ? result.stored.revision : 0),
    ),
  );
  for (let turn = 0; turn < 100; turn++) await store.create(`after/${turn}`, value);
  expect(statSync(file).size).toBeLessThan(8 * mebibyte);
  expect(await store.count("after/")).toBe(100);
}, 60_000);

test("an idle node costs at most a kilobyte a second, and its leases and events no sync of their own", async () => {
  const files = ["state.db", "state.db-wal"];
  const run = async (name: string, seconds: number) => {
    const own = join(directory, name);
    const done = await recordDisk(own, files, [process.execPath, writer, own, String(seconds)]);
    let bytes = 0;
    for (const operation of done) if (operation.type === "write") bytes += operation.bytes.length;
    return { bytes, syncs: done.filter(({ type }) => type === "sync").length };
  };
  const start = await run("start", 0);
  const seconds = 1_200;
  const later = await run("later", seconds);
  expect((later.bytes - start.bytes) / seconds).toBeLessThan(1_000);
  // Every half minute one group, whatever is in it.
  expect(later.syncs - start.syncs).toBeLessThanOrEqual(seconds / 30 + 2);
}, 60_000);
