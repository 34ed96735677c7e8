import { type FSWatcher, watch } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
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
  const formatter = createFormatter(options);
  const changes = new Wakeup();
  // The folder, not the file: its watch lives on when the file is replaced.
  const watcher = options.follow ? watchFolder(dirname(path), () => changes.raise()) : undefined;
  let reader: LineReader | undefined;
  try {
    reader = await LineReader.open(path, options.tailLines);
    while (!formatter.full) {
      deps.signal.throwIfAborted();
      // Asked before the read: what a container wrote last is then still read after it has ended.
      const running = options.follow && deps.stillRunning();
      const replaced = options.follow && (await reader.isReplaced());
      changes.clear();
      const text = formatter.format(await reader.read());
      if (text.length > 0) yield text;
      if (!reader.atEnd) continue;
      if (replaced) {
        // The runtime writes on in the new file only: the old one has been read to its last line.
        await reader.close();
        reader = await LineReader.open(path, undefined);
        continue;
      }
      if (!running) {
        const last = formatter.format(reader.unfinished());
        if (last.length > 0) yield last;
        return;
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
    await reader?.close();
  }
}

/** Undefined where the machine has no watch left to give: what is missed is found by the next look. */
function watchFolder(folder: string, onChange: () => void): FSWatcher | undefined {
  try {
    return watch(folder, onChange).on("error", () => {});
  } catch {
    return undefined;
  }
}

/** Reads a log file a block at a time, and cuts it into lines, each with its end of line. */
class LineReader {
  readonly #path: string;
  readonly #file: FileHandle;
  #position: number;
  #rest: Buffer = Buffer.alloc(0);
  /** True where the last read found nothing more. */
  atEnd = false;

  private constructor(path: string, file: FileHandle, position: number) {
    this.#path = path;
    this.#file = file;
    this.#position = position;
  }

  static async open(path: string, tailLines: number | undefined): Promise<LineReader> {
    const file = await open(path, "r");
    try {
      const start = tailLines === undefined ? 0 : await tailOffset(file, tailLines);
      return new LineReader(path, file, start);
    } catch (caught) {
      await file.close();
      throw caught;
    }
  }

  async read(): Promise<readonly Buffer[]> {
    const block = Buffer.allocUnsafe(blockBytes);
    const { bytesRead } = await this.#file.read(block, 0, blockBytes, this.#position);
    this.#position += bytesRead;
    this.atEnd = bytesRead === 0;
    if (this.atEnd) return [];
    const { lines, left } = splitLines(Buffer.concat([this.#rest, block.subarray(0, bytesRead)]));
    this.#rest = left;
    return lines;
  }

  /** A last line whose end was never written. */
  unfinished(): readonly Buffer[] {
    return this.#rest.length > 0 ? [this.#rest] : [];
  }

  async isReplaced(): Promise<boolean> {
    try {
      return (await stat(this.#path)).ino !== (await this.#file.stat()).ino;
    } catch {
      // Between the rename and the new file: look again at the next change.
      return false;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
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

/** Turns the runtime's lines into the container's; `full` once `limitBytes` are reached. */
function createFormatter(options: LogOptions): {
  readonly full: boolean;
  format(lines: readonly Buffer[]): Buffer;
} {
  let left = options.limitBytes ?? Number.MAX_SAFE_INTEGER;
  let atLineStart = true;

  function textOf(raw: Buffer): readonly Buffer[] {
    const line = parseLogLine(raw);
    if (line === undefined) return [];
    if (options.stream !== "All" && options.stream.toLowerCase() !== line.stream) return [];
    if (options.sinceMs !== undefined && Date.parse(line.time) < options.sinceMs) return [];
    const prefix = options.timestamps && atLineStart ? [Buffer.from(`${line.time} `)] : [];
    // A partial line goes on in the next one: no end of line between them, and one time stamp for all.
    atLineStart = !line.partial;
    return [...prefix, line.partial ? withoutNewline(line.content) : line.content];
  }

  return {
    get full() {
      return left <= 0;
    },
    format(lines) {
      const text = Buffer.concat(lines.flatMap(textOf)).subarray(0, left);
      left -= text.length;
      return text;
    },
  };
}

function withoutNewline(content: Buffer): Buffer {
  return content.at(-1) === newline ? content.subarray(0, -1) : content;
}
