import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openSqliteDatastore } from "../../pkg/datastore/sqlite/sqlite-datastore.ts";
import { datastoreErrorFrom } from "../../pkg/datastore/sqlite/sqlite-errors.ts";
import { SqliteFile } from "../../pkg/datastore/sqlite/sqlite-file.ts";
import { runCommand } from "../support/run-command.ts";
import { failing, readsIn, runWithFaults } from "./fault-run.ts";
import { Random } from "./random.ts";

vi.setConfig({ testTimeout: 180_000 });

let directory = "";
let files = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "mini8s-faults-"));
});
afterAll(() => rm(directory, { recursive: true }));

function newDirectory(): string {
  const own = join(directory, String(files++));
  mkdirSync(own);
  return own;
}

/** The turn that the writer's key is at. */
async function turnIn(file: string): Promise<number> {
  await using store = await openSqliteDatastore({ file });
  const stored = await store.get("k/a");
  return Number(
    Buffer.from(stored?.value ?? [])
      .toString()
      .split(" ")[0],
  );
}

/** What the store finds in a file, or why it refuses it. */
function valuesIn(
  file: string,
): string | { readonly values: ReadonlyMap<string, string>; readonly revision: number } {
  let opened: SqliteFile | undefined;
  try {
    opened = SqliteFile.open({ file, fileBytesMax: 2 ** 30, logPagesMax: 2_000, lockWaitMs: 0 });
    const values = new Map<string, string>();
    for (const { key, value } of opened.values())
      values.set(key, Buffer.from(value ?? []).toString());
    for (const _ of opened.past());
    return { values, revision: opened.state.revision };
  } catch (error) {
    return datastoreErrorFrom(error, { file, fileBytesMax: 2 ** 30 }).reason;
  } finally {
    opened?.close(opened.state.revision);
  }
}

describe("a disk that fails some calls", () => {
  test.each([
    ["fsync:error=EIO:when=30..33", "io"],
    ["pwrite64:error=EIO:when=300..301", "io"],
    ["pwrite64:error=EROFS:when=300..301", "io"],
    ["pwrite64:error=ENOSPC:when=300..310", "full"],
  ])(
    "%s: writes are refused with the cause, reads go on, and it recovers by itself",
    async (what, reason) => {
      const file = join(newDirectory(), "state.db");
      let afterwards = 0;
      const run = await runWithFaults({
        under: failing(file, what),
        file,
        isEnough: ({ lines, refused }) => {
          if (refused.length > 0 && lines.at(-1)?.startsWith("written")) afterwards++;
          return afterwards === 20;
        },
      });
      expect(new Set(run.refused.map((one) => one.reason))).toEqual(new Set([reason]));
      const reads = readsIn(run);
      const refused = new Set(run.refused.map(({ turn }) => turn));
      expect(reads.filter((turn) => refused.has(turn))).toEqual([]);
      expect(reads.toSorted((a, b) => a - b)).toEqual(reads);
      expect(await turnIn(file)).toBeGreaterThanOrEqual(run.written.at(-1) ?? 0);
    },
  );

  test("what was refused because of a failed fsync does not come back after a kill", async () => {
    for (const first of [20, 21, 22, 25]) {
      const file = join(newDirectory(), "state.db");
      const run = await runWithFaults({
        under: failing(file, `fsync:error=EIO:when=${first}+`),
        file,
        valueBytes: 20_000,
        isEnough: ({ refused }) => refused.length === 1,
      });
      expect(await turnIn(file)).toBe(run.written.at(-1));
    }
  });
});

test("on a small disk that is full, writes are refused and reads go on, until there is space again", async () => {
  const own = newDirectory();
  const [image, mount] = [join(own, "disk.img"), join(own, "disk")];
  mkdirSync(mount);
  writeFileSync(image, "");
  truncateSync(image, 8 * 1024 * 1024);
  expect((await runCommand("mkfs.ext4", ["-q", "-F", "-O", "^has_journal", image])).exitCode).toBe(
    0,
  );
  let pid = 0;
  let freed = -1;
  const script = `mount -o loop ${image} ${mount} && fallocate -l 6M ${mount}/filler && echo "pid $$" && exec "$@"`;
  const run = await runWithFaults({
    under: ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"],
    file: join(mount, "state.db"),
    valueBytes: 30_000,
    isEnough: ({ lines, refused, written }) => {
      const last = lines.at(-1) ?? "";
      if (last.startsWith("pid")) pid = Number(last.split(" ")[1]);
      if (refused.length >= 5 && freed < 0) {
        rmSync(`/proc/${pid}/root${mount}/filler`);
        freed = written.length;
      }
      return freed >= 0 && written.length >= freed + 20;
    },
  });
  expect(new Set(run.refused.map(({ reason }) => reason))).toEqual(new Set(["full"]));
  expect(readsIn(run).toSorted((a, b) => a - b)).toEqual(readsIn(run));
});

describe("what is found at the start", () => {
  /** A store that was killed while it wrote, with all of its last writes in the log. */
  async function killed(): Promise<{ readonly own: string; readonly last: number }> {
    const own = newDirectory();
    const run = await runWithFaults({
      file: join(own, "state.db"),
      isEnough: ({ written }) => written.length === 12,
    });
    return { own, last: run.written.at(-1) ?? 0 };
  }

  function copyOf(from: string): string {
    const own = newDirectory();
    for (const name of readdirSync(from)) copyFileSync(join(from, name), join(own, name));
    return own;
  }

  function contents(own: string): readonly string[] {
    return readdirSync(own).map((name) => readFileSync(join(own, name), "base64"));
  }

  async function expectRefused(own: string, why: RegExp): Promise<void> {
    const before = contents(own);
    const file = join(own, "state.db");
    await expect(openSqliteDatastore({ file })).rejects.toMatchObject({
      reason: "corrupt",
      message: expect.stringMatching(why),
    });
    expect(contents(own)).toEqual(before);
  }

  test("a byte that is flipped in the log, before its last transaction, is refused and nothing is changed", async () => {
    const { own } = await killed();
    const log = readFileSync(join(own, "state.db-wal"));
    const frame = 24 + 4096;
    // The last two transactions, of at most four pages each, may be of a torn end.
    const synced = log.length - 8 * frame;
    const random = new Random(1);
    const places = [
      0,
      10,
      17,
      25,
      32,
      40,
      ...Array.from({ length: 20 }, () => random.below(synced)),
    ];
    for (const at of places) {
      const damaged = copyOf(own);
      const bytes = Buffer.from(log);
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
      writeFileSync(join(damaged, "state.db-wal"), bytes);
      await expectRefused(damaged, /is damaged at byte \d+ of its log .*\bcp <copy>/);
    }
  });

  test("a log that is cut off has everything up to the cut, and its revisions do not come again", async () => {
    const { own, last } = await killed();
    const length = readFileSync(join(own, "state.db-wal")).length;
    let turn = last + 1;
    for (const share of [0.9, 0.6, 0.4]) {
      const cut = copyOf(own);
      truncateSync(join(cut, "state.db-wal"), Math.floor(length * share));
      const there = await turnIn(join(cut, "state.db"));
      expect(there).toBeGreaterThan(0);
      expect(there).toBeLessThan(turn);
      turn = there;
      await using store = await openSqliteDatastore({ file: join(cut, "state.db") });
      expect(await store.currentRevision()).toBeGreaterThanOrEqual(last);
    }
  });

  test("a byte that is flipped anywhere in a file that was closed in good order never changes what is read", async () => {
    const own = newDirectory();
    const file = join(own, "state.db");
    const start = await openSqliteDatastore({ file });
    const kept = new Map<string, string>();
    for (let index = 0; index < 60; index++) {
      const value = `${index} ${"v".repeat((index * 131) % 3_000)}`;
      const made = await start.create(`k/${index % 40}-${index}`, Buffer.from("first"));
      if (made.outcome === "conflict") throw new Error("nobody else writes here");
      await start.update(made.stored.key, Buffer.from(value), made.stored.revision);
      kept.set(made.stored.key, value);
    }
    const revision = await start.currentRevision();
    await start[Symbol.asyncDispose]();
    const sound = readFileSync(file);
    const random = new Random(2);
    let refused = 0;
    for (let flip = 0; flip < 400; flip++) {
      const at = random.below(sound.length);
      const bytes = Buffer.from(sound);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      const damaged = join(newDirectory(), "state.db");
      writeFileSync(damaged, bytes);
      const found = valuesIn(damaged);
      if (typeof found === "string") {
        expect(found, `byte ${at}`).toMatch(/^(corrupt|newer-schema)$/);
        refused++;
        continue;
      }
      expect(found.values, `byte ${at}`).toEqual(kept);
      expect(found.revision, `byte ${at}`).toBeGreaterThanOrEqual(revision);
    }
    // The rest lies where nothing is, or in the past alone.
    expect(refused).toBeGreaterThan(100);
  });

  test("a file of the first schema is taken over with all that is in it", async () => {
    const file = join(newDirectory(), "state.db");
    const old = new Database(file);
    old.exec(`
      PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;
      CREATE TABLE current (key TEXT NOT NULL UNIQUE, create_revision INTEGER NOT NULL,
        revision INTEGER NOT NULL, value BLOB NOT NULL) STRICT;
      CREATE TABLE history (revision INTEGER PRIMARY KEY, key TEXT NOT NULL, deleted INTEGER NOT NULL,
        previous_create_revision INTEGER, previous_revision INTEGER, previous_value BLOB) STRICT;
      CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      INSERT INTO meta VALUES ('reserved', 2), ('clean', 1), ('oldest', 0);
      INSERT INTO current VALUES ('k/a', 1, 2, CAST('new' AS BLOB));
      INSERT INTO history VALUES (1, 'k/a', 0, NULL, NULL, NULL), (2, 'k/a', 0, 1, 1, CAST('old' AS BLOB));
      PRAGMA application_id=0x6d693873; PRAGMA user_version=1;
    `);
    old.close();
    await using store = await openSqliteDatastore({ file });
    expect(Buffer.from((await store.get("k/a"))?.value ?? []).toString()).toBe("new");
    const before = await store.list({ prefix: "", limit: 9 }, 1);
    const values = before.outcome === "listed" ? before.values : [];
    expect(values.map(({ value }) => Buffer.from(value).toString())).toEqual(["old"]);
  });

  test("a file that is empty, or gone while its log is there, is refused and the log kept", async () => {
    const { own } = await killed();
    const empty = copyOf(own);
    truncateSync(join(empty, "state.db"));
    await expectRefused(empty, /is empty, though it was never left so/);
    const gone = copyOf(own);
    rmSync(join(gone, "state.db"));
    await expectRefused(gone, /is not there, though its log .* is/);
  });

  test("a directory that cannot be written is refused with what to do", async () => {
    const { own } = await killed();
    const script = `mount --bind ${own} ${own} && mount -o remount,ro,bind ${own} && exec "$@"`;
    const started = runWithFaults({
      under: ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"],
      file: join(own, "state.db"),
      isEnough: () => false,
    });
    await expect(started).rejects.toThrow(
      /cannot be written: make its directory and its disk writable/,
    );
  });
});
