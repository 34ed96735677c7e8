import { appendFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../../base/clock.ts";
import { type LogOptions, readContainerLog } from "./container-log.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "container-log-"));
  path = join(folder, "0.log");
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const all: LogOptions = {
  follow: false,
  timestamps: false,
  tailLines: undefined,
  limitBytes: undefined,
  sinceMs: undefined,
  stream: "All",
};

const at = (second: number) => `2026-01-02T03:04:0${second}.123456789Z`;
const line = (second: number, text: string, tag = "F", stream = "stdout") =>
  `${at(second)} ${stream} ${tag} ${text}\n`;

function read(options: Partial<LogOptions>, stillRunning = () => false, stop?: AbortSignal) {
  const signal = stop ?? new AbortController().signal;
  return readContainerLog(
    path,
    { ...all, ...options },
    { clock: systemClock, stillRunning, signal },
  );
}

async function textOf(options: Partial<LogOptions>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of read(options)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("lines come without the runtime's framing, empty ones and spaces kept", async () => {
  await writeFile(path, line(1, "one") + line(2, "") + line(3, "  three  spaced "));
  expect(await textOf({})).toBe("one\n\n  three  spaced \n");
});

test("the parts of a long line are one line again, with one time stamp", async () => {
  await writeFile(path, line(1, "long ", "P") + line(2, "line", "F") + line(3, "next"));
  expect(await textOf({})).toBe("long line\nnext\n");
  expect(await textOf({ timestamps: true })).toBe(`${at(1)} long line\n${at(3)} next\n`);
});

test("a last line whose end was never written is still told", async () => {
  await writeFile(path, `${line(1, "one")}${at(2)} stdout F cut o`);
  expect(await textOf({})).toBe("one\ncut o");
});

test("what is no line of the runtime's is left out", async () => {
  await writeFile(path, `garbage\n${line(1, "one")}`);
  expect(await textOf({})).toBe("one\n");
});

test.each([
  [0, ""],
  [1, "three\n"],
  [2, "two\nthree\n"],
  [3, "one\ntwo\nthree\n"],
  [9, "one\ntwo\nthree\n"],
])("the last %i lines", async (tailLines, expected) => {
  await writeFile(path, line(1, "one") + line(2, "two") + line(3, "three"));
  expect(await textOf({ tailLines })).toBe(expected);
});

test("the last lines are found however far they reach back", async () => {
  const lines = Array.from({ length: 5_000 }, (_, index) => `${index} ${"x".repeat(index % 90)}`);
  await writeFile(path, lines.map((text) => line(1, text)).join(""));
  expect(await textOf({ tailLines: 3_456 })).toBe(`${lines.slice(-3_456).join("\n")}\n`);
});

test("lines before a moment are left out", async () => {
  await writeFile(path, line(1, "one") + line(2, "two") + line(3, "three"));
  expect(await textOf({ sinceMs: Date.parse(at(2)) })).toBe("two\nthree\n");
});

test("no more than so many bytes, time stamps counted", async () => {
  await writeFile(path, line(1, "one") + line(2, "two"));
  expect(await textOf({ limitBytes: 5 })).toBe("one\nt");
  expect(await textOf({ limitBytes: 4, timestamps: true })).toBe("2026");
});

test("a limit that is reached ends following, though the container runs on", async () => {
  await writeFile(path, line(1, "one") + line(2, "two"));
  const chunks: string[] = [];
  for await (const chunk of read({ follow: true, limitBytes: 4 }, () => true)) {
    chunks.push(chunk.toString());
  }
  expect(chunks.join("")).toBe("one\n");
});

test("one stream alone", async () => {
  await writeFile(path, line(1, "out") + line(2, "err", "F", "stderr"));
  expect(await textOf({ stream: "Stderr" })).toBe("err\n");
  expect(await textOf({ stream: "Stdout" })).toBe("out\n");
});

async function next(log: AsyncGenerator<Buffer>): Promise<string | undefined> {
  const { value, done } = await log.next();
  return done === true ? undefined : value.toString();
}

test("followed, new lines come as they are written, until the container has ended and all is read", async () => {
  let running = true;
  await writeFile(path, line(1, "one"));
  const log = read({ follow: true }, () => running);
  expect(await next(log)).toBe("one\n");
  const second = next(log);
  await appendFile(path, line(2, "two"));
  expect(await second).toBe("two\n");
  await appendFile(path, line(3, "last words"));
  running = false;
  expect(await next(log)).toBe("last words\n");
  expect(await next(log)).toBeUndefined();
});

test("half a line waits for its other half", async () => {
  await writeFile(path, line(1, "one") + line(2, "two").slice(0, 33));
  let running = true;
  const log = read({ follow: true }, () => running);
  expect(await next(log)).toBe("one\n");
  const second = next(log);
  await appendFile(path, line(2, "two").slice(33));
  expect(await second).toBe("two\n");
  running = false;
  expect(await next(log)).toBeUndefined();
});

test("a rotated log is followed into its new file, and nothing between is lost", async () => {
  let running = true;
  await writeFile(path, line(1, "one"));
  const log = read({ follow: true }, () => running);
  expect(await next(log)).toBe("one\n");
  // As containerd does it: what it writes before it is told to reopen goes to the renamed file.
  const old = join(folder, "0.log.20260102-030405");
  await rename(path, old);
  await appendFile(old, line(2, "two"));
  await writeFile(path, line(3, "three"));
  expect((await next(log)) ?? "").toBe("two\n");
  expect(await next(log)).toBe("three\n");
  running = false;
  expect(await next(log)).toBeUndefined();
});

test("a client that goes ends the wait at once", async () => {
  await writeFile(path, line(1, "one"));
  const gone = new AbortController();
  const log = read({ follow: true }, () => true, gone.signal);
  expect(await next(log)).toBe("one\n");
  const waiting = log.next();
  gone.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow("gone");
});
