import type { DiskOperation } from "./disk-recording.ts";
import type { Random } from "./random.ts";

/** What a power cut does to what was written and not synced: of which files it is lost, or which sectors of it. */
export type PowerCut =
  | { readonly type: "kept" }
  | { readonly type: "lost"; readonly of: (file: string) => boolean }
  | { readonly type: "torn"; readonly random: Random };

type Change = Extract<DiskOperation, { type: "write" | "truncate" }>;

interface DiskFile {
  /** What is sure to be there. */
  synced: Buffer;
  unsynced: Change[];
}

const sectorBytes = 512;

/** A disk that is told what a process did to it, and can be looked at as it would be after a power cut at any time. */
export class CrashableDisk {
  readonly #files = new Map<string, DiskFile>();
  /** Names that are sure to be in the directory, and whose. */
  readonly #names = new Map<string, DiskFile>();

  apply(operation: DiskOperation): void {
    const { file } = operation;
    if (operation.type === "make")
      this.#files.set(file, this.#files.get(file) ?? { synced: Buffer.alloc(0), unsynced: [] });
    else if (operation.type === "remove") this.#files.delete(file);
    else if (operation.type === "rename") this.#rename(file, operation.to);
    else if (operation.type === "write" || operation.type === "truncate")
      this.#files.get(file)?.unsynced.push(operation);
    else this.#sync(file);
  }

  #rename(from: string, to: string): void {
    const one = this.#files.get(from);
    if (one === undefined) return;
    this.#files.delete(from);
    this.#files.set(to, one);
  }

  #sync(file: string): void {
    if (file === "") {
      this.#names.clear();
      for (const [name, one] of this.#files) this.#names.set(name, one);
      return;
    }
    const one = this.#files.get(file);
    if (one === undefined) return;
    one.synced = one.unsynced.reduce(applied, one.synced);
    one.unsynced = [];
  }

  /** Each file's content after a cut. */
  after(cut: PowerCut): ReadonlyMap<string, Buffer> {
    const names = new Set([...this.#names.keys(), ...this.#files.keys()]);
    const found = new Map<string, Buffer>();
    for (const name of names) {
      const lost =
        cut.type === "lost" ? cut.of(name) : cut.type === "torn" && cut.random.chance(0.5);
      const file = (lost ? this.#names : this.#files).get(name);
      if (file !== undefined) found.set(name, contentAfter(file, name, cut));
    }
    return found;
  }
}

function contentAfter({ synced, unsynced }: DiskFile, name: string, cut: PowerCut): Buffer {
  if (cut.type === "kept") return unsynced.reduce(applied, synced);
  if (cut.type === "lost") return cut.of(name) ? synced : unsynced.reduce(applied, synced);
  const { random } = cut;
  const share = random.pick([0.1, 0.5, 0.9]);
  return unsynced.flatMap((change) => torn(change, random, share)).reduce(applied, synced);
}

/** The sectors of a write that made it to the disk. */
function torn(change: Change, random: Random, share: number): Change[] {
  if (change.type === "truncate") return random.chance(share) ? [change] : [];
  const { file, at, bytes } = change;
  const kept: Change[] = [];
  for (let begin = 0; begin < bytes.length; ) {
    const end = Math.min(bytes.length, begin + sectorBytes - ((at + begin) % sectorBytes));
    if (random.chance(share))
      kept.push({ type: "write", file, at: at + begin, bytes: bytes.subarray(begin, end) });
    begin = end;
  }
  return kept;
}

function applied(content: Buffer, change: Change): Buffer {
  if (change.type === "truncate") {
    const length = Buffer.alloc(change.length);
    content.copy(length);
    return length;
  }
  const { at, bytes } = change;
  const written = Buffer.alloc(Math.max(content.length, at + bytes.length));
  content.copy(written);
  bytes.copy(written, at);
  return written;
}
