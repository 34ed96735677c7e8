import { type FSWatcher, watch } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Clock } from "../../../base/clock.ts";
import { Wakeup } from "../../../base/wakeup.ts";

export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  /** Undefined: all lines. */
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  /** Lines before this moment are left out; milliseconds since 1970. */
  readonly sinceMs: number | undefined;
  readonly stream: "All" | "Stdout" | "Stderr";
}

const blockBytes = 64 * 1024;
/** The file system may miss to tell of a write: look anyway. */
const forcedCheckMs = 1_000;
const newline = 0x0a;

/** One line as the runtime wrote it: `2026-01-02T03:04:05.678901234Z stdout F what the container said`. */
interface LogLine {
  readonly time: string;
  readonly stream: string;
  readonly partial: boolean;
  readonly content: Buffer;
}

/** @package */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const afterTime = line.indexOf(0x20);
  const afterStream = line.indexOf(0x20, afterTime + 1);
  const afterTag = line.indexOf(0x20, afterStream + 1);
  if (afterTime < 0 || afterStream < 0 || afterTag < 0) return undefined;
  const tag = line.toString("latin1", afterStream + 1, afterTag);
  return {
    time: line.toString("latin1", 0, afterTime),
    stream: line.toString("latin1", afterTime + 1, afterStream),
    partial: tag.split(":")[0] === "P",
    content: line.subarray(afterTag + 1),
  };
}

/** Where the last `lines` lines of a file begin. */
async function tailOffset(file: FileHandle, lines: number): Promise<number> {
  let end = (await file.stat()).size;
  if (lines === 0) return end;
  let missing = lines;
  const block = Buffer.allocUnsafe(blockBytes);
  const size = end;
  while (end > 0) {
    const start = Math.max(0, end - blockBytes);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    for (let index = bytesRead - 1; index >= 0; index--) {
      if (block[index] !== newline || start + index === size - 1) continue;
      missing--;
      if (missing === 0) return start + index + 1;
    }
    end = start;
  }
  return 0;
}

/**
 * What the container wrote, without the runtime's framing, from a log file in CRI's format; with `follow`, on and
 * on until `stillRunning` says no and the end is reached. A log that is rotated meanwhile is followed into its new
 * file.
 */
export async function* readContainerLog(
  path: string,
  options: LogOptions,
  deps: { readonly clock: Clock; stillRunning(): boolean; readonly signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const format = createFormatter(options);
  const changes = new Wakeup();
  let watcher: FSWatcher | undefined;
  let file = await open(path, "r");
  try {
    if (options.follow) watcher = watch(path, () => changes.raise());
    let position = options.tailLines === undefined ? 0 : await tailOffset(file, options.tailLines);
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      deps.signal.throwIfAborted();
      // Asked before the read: what a container wrote last is then still read after it has ended.
      const running = options.follow && deps.stillRunning();
      changes.clear();
      const block = Buffer.allocUnsafe(blockBytes);
      const { bytesRead } = await file.read(block, 0, blockBytes, position);
      position += bytesRead;
      const { lines, left } = splitLines(Buffer.concat([rest, block.subarray(0, bytesRead)]));
      rest = left;
      const out: Buffer[] = [];
      for (const line of lines) {
        const text = format(line);
        if (text === "full") {
          yield Buffer.concat(out);
          return;
        }
        if (text !== undefined) out.push(...text);
      }
      if (out.length > 0) yield Buffer.concat(out);
      if (bytesRead > 0) continue;
      if (!running) return;
      const rotated = await isReplaced(path, file);
      if (rotated) {
        await file.close();
        file = await open(path, "r");
        watcher?.close();
        watcher = watch(path, () => changes.raise());
        position = 0;
        rest = Buffer.alloc(0);
        continue;
      }
      const stop = deps.clock.after(forcedCheckMs, () => changes.raise());
      try {
        await changes.wait(deps.signal);
      } finally {
        stop();
      }
    }
  } finally {
    watcher?.close();
    await file.close();
  }
}

async function isReplaced(path: string, file: FileHandle): Promise<boolean> {
  try {
    const current = await open(path, "r");
    try {
      return (await current.stat()).ino !== (await file.stat()).ino;
    } finally {
      await current.close();
    }
  } catch {
    // Between the rename and the new file: look again at the next change.
    return false;
  }
}

function splitLines(buffer: Buffer): { readonly lines: readonly Buffer[]; readonly left: Buffer } {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = buffer.indexOf(newline); end >= 0; end = buffer.indexOf(newline, start)) {
    lines.push(buffer.subarray(start, end + 1));
    start = end + 1;
  }
  return { lines, left: Buffer.from(buffer.subarray(start)) };
}

/** Turns the runtime's lines into the container's; "full" once `limitBytes` are reached. */
function createFormatter(
  options: LogOptions,
): (line: Buffer) => readonly Buffer[] | "full" | undefined {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  let atLineStart = true;
  return (raw) => {
    if (left <= 0) return "full";
    const line = parseLogLine(raw);
    if (line === undefined) return undefined;
    if (options.stream !== "All" && options.stream.toLowerCase() !== line.stream) return undefined;
    if (options.sinceMs !== undefined && Date.parse(line.time) < options.sinceMs) return undefined;
    // A partial line goes on in the next one: no end of line between them, and one time stamp for all.
    const content = line.partial ? line.content.subarray(0, -1) : line.content;
    const prefix = options.timestamps && atLineStart ? [Buffer.from(`${line.time} `)] : [];
    atLineStart = !line.partial;
    const text = Buffer.concat([...prefix, content]).subarray(
      0,
      Math.min(left, Number.MAX_SAFE_INTEGER),
    );
    left -= text.length;
    return [text];
  };
}
