import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { silentLogger } from "../base/log.ts";
import { openDatastore } from "./open.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "mini8s-open-"));
});
afterEach(() => rm(directory, { recursive: true }));
const open = (endpoint: string) =>
  openDatastore(endpoint, { directory, clock: systemClock, logger: silentLogger });

test.each([
  ["", "state.db"],
  ["sqlite://", "state.db"],
  ["sqlite://other/place.db", "other/place.db"],
])("the endpoint %o is the file %s", async (endpoint, file) => {
  await using store = await open(endpoint);
  await store.create("a", new Uint8Array([1]));
  expect(existsSync(join(directory, file))).toBe(true);
});

test("memory:// leaves nothing behind", async () => {
  await using store = await open("memory://");
  await store.create("a", new Uint8Array([1]));
  expect(existsSync(join(directory, "state.db"))).toBe(false);
});

test("what is not supported is refused with what is, and without the endpoint's password", async () => {
  for (const endpoint of ["postgres://me:secret@host/db", "https://etcd:2379", "state.db"]) {
    const refused = expect(open(endpoint)).rejects;
    await refused.toThrow(/use sqlite:\/\/<path>, memory:\/\/, or none at all/);
    await refused.not.toThrow(/secret/);
  }
});
