import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, copyFileSync, openSync, statSync, writeFileSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Clock, systemClock } from "../../pkg/base/clock.ts";
import type { Datastore, Revision } from "../../pkg/datastore/datastore.ts";
import type {
  SqliteThreadData,
  ThreadReport,
  ThreadRequest,
} from "../../pkg/datastore/sqlite/protocol.ts";
import {
  openSqliteDatastore,
  type SqliteDatastoreOptions,
} from "../../pkg/datastore/sqlite/sqlite-datastore.ts";
import type { SqliteThread } from "../../pkg/datastore/sqlite/sqlite-thread.ts";
import {
  bytes,
  describeDatastore,
  eventsUntil,
  keysOf,
  text,
  written,
} from "./datastore-conformance.ts";

// Thousands of real commits: on a slow card each is a hundred times what it is here.
vi.setConfig({ testTimeout: 60_000 });

let directory = "";
let files = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "mini8s-datastore-"));
});
afterAll(() => rm(directory, { recursive: true }));
const newFile = () => join(directory, `${files++}.db`);
const threadModule = new URL("../../pkg/datastore/sqlite/thread.ts", import.meta.url);
const writerModule = new URL("./datastore-writer.ts", import.meta.url).pathname;

describeDatastore("sqlite", () => openSqliteDatastore({ file: newFile() }));

describe("a file that is opened again", () => {
  test("has every write, the same revision, and the history that leads to it", async () => {
    const file = newFile();
    const start = await openSqliteDatastore({ file });
    const a = written(await start.create("a", bytes("1")));
    const b = written(await start.create("b", bytes("1")));
    const a2 = written(await start.update("a", bytes("2"), a.revision));
    const gone = written(await start.delete("b", b.revision));
    await start[Symbol.asyncDispose]();

    await using again = await openSqliteDatastore({ file });
    expect(await again.currentRevision()).toBe(gone.revision);
    expect(await again.get("a")).toEqual(a2);
    expect(await again.get("b")).toBeUndefined();
    expect(await keysOf(again, "", b.revision)).toEqual(["a", "b"]);
    const events = await eventsUntil(again, "", a.revision, gone.revision);
    expect(events).toEqual([
      { type: "put", revision: b.revision, current: b, previous: undefined },
      { type: "put", revision: a2.revision, current: a2, previous: a },
      { type: "delete", revision: gone.revision, current: gone, previous: b },
    ]);
    expect(written(await again.create("c", bytes("1"))).revision).toBeGreaterThan(gone.revision);
  });

  test("has the lazy writes after a close in good order, but tells nothing of how they came", async () => {
    const file = newFile();
    const start = await openSqliteDatastore({ file });
    const durable = written(await start.create("d/a", bytes("1")));
    const a = written(await start.create("l/a", bytes("1"), { durability: "lazy" }));
    const b = written(await start.create("l/b", bytes("1"), { durability: "at-close" }));
    const last = written(
      await start.update("l/b", bytes("2"), b.revision, { durability: "at-close" }),
    );
    await start[Symbol.asyncDispose]();

    await using again = await openSqliteDatastore({ file });
    expect(await again.currentRevision()).toBe(last.revision);
    expect(await again.get("l/a")).toEqual(a);
    expect(await again.get("l/b")).toEqual(last);
    expect(await eventsUntil(again, "l/", a.revision, last.revision)).toBe("expired");
    expect(await again.list({ prefix: "l/", limit: 9 }, a.revision)).toEqual({
      outcome: "expired",
    });
    expect(await eventsUntil(again, "d/", durable.revision - 1, durable.revision)).toHaveLength(1);
  });

  test("loses what was to be written at close when there was no close, and its watches expire", async () => {
    const file = newFile();
    let thread: Worker | undefined;
    const startThread = (data: SqliteThreadData): SqliteThread => {
      thread = new Worker(threadModule, { workerData: data });
      return thread;
    };
    const start = await openSqliteDatastore({ file, startThread });
    await start.create("l/a", bytes("1"), { durability: "at-close" });
    const durable = written(await start.create("d/a", bytes("1")));
    const lost = written(await start.create("l/b", bytes("1"), { durability: "at-close" }));
    const client = written(await start.create("d/b", bytes("1")));
    await thread?.terminate();
    await expect(start.create("d/c", bytes("1"))).rejects.toMatchObject({ reason: "io" });
    expect(text(await start.get("l/b"))).toBe("1");
    await expect(start[Symbol.asyncDispose]()).rejects.toMatchObject({ reason: "io" });

    await using again = await openSqliteDatastore({ file });
    expect(await keysOf(again, "")).toEqual(["d/a", "d/b", "l/a"]);
    expect(await eventsUntil(again, "l/", lost.revision, lost.revision + 1)).toBe("expired");
    expect(await eventsUntil(again, "d/", durable.revision, client.revision)).toHaveLength(1);
    expect(await again.currentRevision()).toBeGreaterThanOrEqual(client.revision);
  });
});

test("a write that is on its way when the thread dies is settled, and so is every one after it", async () => {
  const disk = failingDisk();
  const store = await openSqliteDatastore({ file: newFile(), startThread: disk.startThread });
  const racing = store.create("a", bytes("1"));
  const ended = disk.terminate();
  await Promise.allSettled([racing, ended]);
  await expect(store.create("b", bytes("1"))).rejects.toMatchObject({ reason: "io" });
  await expect(store[Symbol.asyncDispose]()).rejects.toMatchObject({ reason: "io" });
});

test("whoever watches hears that the thread died, so that the server can end instead of limping on", async () => {
  const disk = failingDisk();
  const store = await openSqliteDatastore({ file: newFile(), startThread: disk.startThread });
  const left = new AbortController();
  const watches = [new AbortController().signal, left.signal].map(async (signal) => {
    for await (const item of store.watch("", 0, signal)) expect(item.type).toBe("events");
  });
  await store.create("a", bytes("1"));
  left.abort();
  await watches[1];
  await disk.terminate();
  await expect(watches[0]).rejects.toMatchObject({
    reason: "io",
    message: expect.stringMatching(/restart mini8s/),
  });
  await expect(store[Symbol.asyncDispose]()).rejects.toMatchObject({ reason: "io" });
});

test("the addon may lie anywhere: the single executable unpacks it", async () => {
  const nativeBinding = join(directory, "unpacked.node");
  const prebuilt = `../../node_modules/better-sqlite3/prebuilds/linux-${process.arch}.node`;
  copyFileSync(new URL(prebuilt, import.meta.url), nativeBinding);
  await using store = await openSqliteDatastore({ file: newFile(), nativeBinding });
  expect(written(await store.create("a", bytes("1"))).revision).toBe(1);
});

test("lazy writes reach the disk in one slow group, by themselves", async () => {
  const file = newFile();
  const clock = movableClock();
  const committed: number[] = [];
  const startThread = (data: SqliteThreadData): SqliteThread => {
    const thread = new Worker(threadModule, { workerData: data });
    const post = thread.postMessage.bind(thread);
    return Object.assign(thread, {
      postMessage(request: ThreadRequest, transfer?: ArrayBuffer[]) {
        if (request.type === "commit") committed.push(request.writes.fields.length / 5);
        post(request, transfer);
      },
    });
  };
  await using store = await openSqliteDatastore({ file, clock, startThread, lazyFlushMs: 30_000 });
  await store.create("l/first", bytes("1"), { durability: "lazy" });
  committed.length = 0;
  for (const key of ["l/a", "l/b", "l/c"])
    await store.create(key, bytes("1"), { durability: "lazy" });
  const { revision } = written(await store.create("l/d", bytes("1"), { durability: "lazy" }));
  await store.update("l/d", bytes("2"), revision, { durability: "lazy" });
  await store.create("l/e", bytes("1"), { durability: "at-close" });
  expect(committed).toEqual([]);
  clock.advance(30_000);
  await store.create("d/a", bytes("1"));
  expect(committed.reduce((sum, count) => sum + count, 0)).toBe(4 + 1);
});

describe("a file that cannot be used", () => {
  test("is refused with a sentence while another process has it", async () => {
    const file = newFile();
    const child = spawn(process.execPath, [writerModule, file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await firstLines(child, 1);
    await expect(openSqliteDatastore({ file, lockWaitMs: 0 })).rejects.toThrow(
      /in use by another process: stop the other mini8s/,
    );
    await kill(child);
    await using store = await openSqliteDatastore({ file });
    expect(await store.currentRevision()).toBeGreaterThan(0);
  });

  test("is refused while this very process has it", async () => {
    const file = newFile();
    await using first = await openSqliteDatastore({ file });
    await expect(openSqliteDatastore({ file, lockWaitMs: 0 })).rejects.toThrow(/in use/);
    await first.create("a", bytes("1"));
  });

  test("is refused when a newer mini8s wrote it, and is left as it is", async () => {
    const file = newFile();
    await (await openSqliteDatastore({ file }))[Symbol.asyncDispose]();
    const database = new Database(file);
    database.pragma("user_version=99");
    database.close();
    await expect(openSqliteDatastore({ file })).rejects.toMatchObject({ reason: "newer-schema" });
    const unchanged = new Database(file);
    expect(unchanged.pragma("user_version", { simple: true })).toBe(99);
    unchanged.close();
  });

  test("is refused when it is no datastore, or none of ours", async () => {
    const noise = newFile();
    writeFileSync(noise, randomBytes(8192));
    await expect(openSqliteDatastore({ file: noise })).rejects.toMatchObject({ reason: "corrupt" });
    const foreign = newFile();
    const database = new Database(foreign);
    database.exec("CREATE TABLE theirs (a)");
    database.close();
    await expect(openSqliteDatastore({ file: foreign })).rejects.toThrow(/not a mini8s datastore/);
  });

  test("is refused when it was damaged and not closed in good order", async () => {
    const file = newFile();
    const store = await openSqliteDatastore({ file });
    for (let index = 0; index < 200; index++)
      await store.create(`k/${index}`, new Uint8Array(randomBytes(1000)));
    await store[Symbol.asyncDispose]();
    const database = new Database(file);
    database.exec("UPDATE meta SET value = 0 WHERE name = 'clean'");
    database.close();
    const descriptor = openSync(file, "r+");
    for (let page = 5; page < 20; page++)
      writeSync(descriptor, randomBytes(4096), 0, 4096, page * 4096);
    closeSync(descriptor);
    await expect(openSqliteDatastore({ file })).rejects.toMatchObject({ reason: "corrupt" });
  });

  test("is kept from everybody else: it holds secrets", async () => {
    const file = newFile();
    await using store = await openSqliteDatastore({ file });
    await store.create("a", bytes("1"));
    expect(statSync(file).mode & 0o077).toBe(0);
    expect(statSync(`${file}-wal`).mode & 0o077).toBe(0);
  });
});

describe("a file at its cap", () => {
  const fileBytesMax = 2 * 1024 * 1024;

  test("refuses what does not fit, goes on reading, and takes writes again after deletes", async () => {
    const file = newFile();
    await using store = await openSqliteDatastore({ file, fileBytesMax });
    const value = new Uint8Array(randomBytes(20_000));
    const keys: string[] = [];
    const fill = async () => {
      for (let index = 0; ; index++) {
        const key = `k/${keys.length}-${index}`;
        await store.create(key, value);
        keys.push(key);
      }
    };
    await expect(fill()).rejects.toMatchObject({
      reason: "full",
      message: expect.stringContaining("delete objects"),
    });
    expect(keys.length).toBeGreaterThan(50);
    expect(statSync(file).size).toBeLessThanOrEqual(fileBytesMax + 512 * 4096);
    expect(await keysOf(store, "k/")).toHaveLength(keys.length);
    for (const key of keys.slice(0, 40)) {
      const stored = await store.get(key);
      expect((await store.delete(key, stored?.revision ?? 0)).outcome).toBe("written");
    }
    expect((await store.create("k/again", value)).outcome).toBe("written");
  });

  test("never grows beyond by changes: history makes way", async () => {
    const file = newFile();
    const history = { eventsMax: 50 };
    await using store = await openSqliteDatastore({ file, fileBytesMax, history });
    let stored = written(await store.create("a", new Uint8Array(10_000)));
    for (let turn = 0; turn < 1_000; turn++)
      stored = written(await store.update("a", new Uint8Array(10_000), stored.revision));
    expect(statSync(file).size).toBeLessThanOrEqual(fileBytesMax);
    expect(statSync(`${file}-wal`).size).toBeLessThanOrEqual(10 * 1024 * 1024);
  });
});

describe("a disk that fails", () => {
  test("gets no acknowledgement and no event out of the store, and reads go on until it works again", async () => {
    const clock = movableClock();
    const disk = failingDisk();
    const options: SqliteDatastoreOptions = {
      file: newFile(),
      clock,
      startThread: disk.startThread,
    };
    await using store = await openSqliteDatastore(options);
    const before = written(await store.create("a", bytes("1")));
    disk.broken = true;
    const lost = await Promise.allSettled([
      store.create("b", bytes("1")),
      store.update("a", bytes("2"), before.revision),
      store.delete("a", before.revision),
    ]);
    expect(lost.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    await expect(store.create("c", bytes("1"))).rejects.toMatchObject({ reason: "io" });
    expect(await store.get("a")).toEqual(before);
    expect(await keysOf(store, "")).toEqual(["a"]);

    disk.broken = false;
    await expect(store.create("c", bytes("1"))).rejects.toMatchObject({ reason: "io" });
    const recovered = disk.nextReport("recovered");
    clock.advance(1_000);
    await recovered;
    const after = written(await store.update("a", bytes("3"), before.revision));
    expect(await eventsUntil(store, "", before.revision, after.revision)).toEqual([
      { type: "put", revision: after.revision, current: after, previous: before },
    ]);
  });

  test("for real: writes beyond a limit of the kernel are refused, and no acknowledged one is lost", async () => {
    const file = newFile();
    await (await openSqliteDatastore({ file }))[Symbol.asyncDispose]();
    const child = spawn(
      "sh",
      ["-c", 'trap "" XFSZ; exec "$@"', "sh", process.execPath, writerModule, file],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const acknowledged = new Map<string, Acknowledged>();
    let [failures, afterwards] = [0, 0];
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith("opened")) continue;
      if (line.startsWith("failed")) {
        failures++;
        afterwards = 0;
        if (failures === 20) limitFileBytes(child, "unlimited");
        continue;
      }
      const one = acknowledgedIn(line);
      if (one.durability === "durable") acknowledged.set(one.key, one);
      if (failures === 0 && acknowledged.size === 100) limitFileBytes(child, "65536");
      if (one.durability === "durable" && failures >= 20 && ++afterwards === 500) break;
    }
    await kill(child);
    await using store = await openSqliteDatastore({ file });
    for (const one of acknowledged.values()) await expectKept(store, one);
  });
});

interface Acknowledged {
  readonly durability: string;
  readonly key: string;
  readonly revision: Revision;
  readonly seed: number;
  readonly turn: number;
  readonly deleted: boolean;
}

function acknowledgedIn(line: string): Acknowledged {
  const [durability = "", key = "", revision, seed, turn, what] = line.split(" ");
  if (what === undefined) throw new Error(`not an acknowledgement: ${line}`);
  return {
    durability,
    key,
    revision: Number(revision),
    seed: Number(seed),
    turn: Number(turn),
    deleted: what === "delete",
  };
}

/** What was acknowledged, or the one write after it that may have been committed and killed before it was said. */
async function expectKept(store: Datastore, kept: Acknowledged): Promise<void> {
  const found = text(await store.get(kept.key));
  const next = kept.turn + 10;
  if (found === undefined) {
    const firstOfRound = Number(kept.key.split("-")[1]);
    expect(kept.deleted || next % 7 === 0 || firstOfRound % 7 === 0, JSON.stringify(kept)).toBe(
      true,
    );
    return;
  }
  const [seed = 0, turn = 0] = found.split(" ").map(Number);
  expect(seed).toBeGreaterThanOrEqual(kept.seed);
  if (seed === kept.seed) expect(kept.deleted ? [next] : [kept.turn, next]).toContain(turn);
}

async function firstLines(child: ChildProcess, count: number): Promise<string[]> {
  const { stdout } = child;
  if (stdout === null) throw new Error("the child's output is a pipe");
  const lines: string[] = [];
  for await (const line of createInterface({ input: stdout })) {
    lines.push(line);
    if (lines.length === count) return lines;
  }
  return lines;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

function limitFileBytes(child: ChildProcess, bytesMax: string): void {
  execFileSync("/usr/bin/prlimit", ["--pid", String(child.pid), `--fsize=${bytesMax}:unlimited`]);
}

function movableClock(): Clock & { advance(durationMs: number): void } {
  let now = 0;
  const timers = new Map<() => void, number>();
  return {
    ...systemClock,
    monotonic: () => now,
    after(durationMs, callback) {
      const timer = () => callback();
      timers.set(timer, now + durationMs);
      return () => timers.delete(timer);
    },
    advance(durationMs) {
      now += durationMs;
      for (const [timer, due] of [...timers]) {
        if (due > now) continue;
        timers.delete(timer);
        timer();
      }
    },
  };
}

/** A real thread whose commits are all answered as a disk would that cannot be written, while it is broken. */
function failingDisk() {
  let worker: Worker | undefined;
  const listeners: ((report: ThreadReport) => void)[] = [];
  const report = (one: ThreadReport) => {
    for (const listener of [...listeners]) listener(one);
  };
  const failure = { reason: "io" as const, message: "the disk is on fire: put it out" };
  const disk = {
    broken: false,
    startThread(data: SqliteThreadData): SqliteThread {
      const thread = new Worker(threadModule, { workerData: data });
      worker = thread;
      thread.on("message", report);
      return {
        postMessage(request: ThreadRequest, transfer?: ArrayBuffer[]) {
          if (!disk.broken) thread.postMessage(request, transfer);
          else if (request.type === "commit") {
            const { id } = request;
            report({ type: "settled", ids: [id], failures: [{ id, index: -1, ...failure }] });
          } else if (request.type === "recover") report({ type: "recovered", failure });
        },
        on(event: string, listener: (value: never) => void) {
          if (event === "message") listeners.push(listener as (report: ThreadReport) => void);
          else if (event === "exit") thread.on("exit", listener as () => void);
        },
      };
    },
    terminate: () => worker?.terminate(),
    nextReport(type: ThreadReport["type"]): Promise<void> {
      return new Promise((resolve) => {
        listeners.push((one) => {
          if (one.type === type) resolve();
        });
      });
    },
  };
  return disk;
}
