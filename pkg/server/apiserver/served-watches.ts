import type { ResourceDefinition } from "../../api/resource.ts";
import type { Clock } from "../../base/clock.ts";
import type { WatchWriter } from "./watch-writer.ts";

/** A watch that is being served, and what is due for it. Times are monotonic. */
export interface ServedWatch {
  readonly resource: ResourceDefinition;
  readonly writer: WatchWriter;
  readonly endsAtMs: number;
  /** Infinity for none. */
  bookmarkAtMs: number;
}

const lookEveryMs = 1_000;
const bookmarkEveryMs = 60_000;

/** When the next bookmark of a watch is due. */
export function nextBookmarkMs(nowMs: number): number {
  return nowMs + bookmarkEveryMs;
}

/** All watches that are being served. One timer looks after them: ten thousand idle ones cost next to nothing. */
export class ServedWatches {
  readonly #clock: Clock;
  readonly #revision: () => number;
  readonly #watches = new Set<ServedWatch>();
  #isLooking = false;
  #isEnding = false;

  /** `revision`: what is told by bookmarks. */
  constructor(clock: Clock, revision: () => number) {
    this.#clock = clock;
    this.#revision = revision;
  }

  get size(): number {
    return this.#watches.size;
  }

  add(watch: ServedWatch): void {
    if (this.#isEnding) {
      watch.writer.end();
      return;
    }
    this.#watches.add(watch);
    if (!this.#isLooking) this.#lookLater();
  }

  delete(watch: ServedWatch): void {
    this.#watches.delete(watch);
  }

  /** Ends all of them, and each that comes: the server stops, and their clients go elsewhere or come again. */
  endAll(): void {
    this.#isEnding = true;
    for (const { writer } of [...this.#watches]) writer.end();
  }

  /** Ends those of kinds that are no longer served, or otherwise: their clients list again, and see what is now. */
  endOf(definitions: readonly ResourceDefinition[]): void {
    const ended = new Set(definitions);
    for (const { resource, writer } of [...this.#watches]) if (ended.has(resource)) writer.end();
  }

  #lookLater(): void {
    this.#isLooking = true;
    this.#clock.after(lookEveryMs, () => {
      this.#isLooking = false;
      this.#look();
      if (this.#watches.size > 0 && !this.#isLooking) this.#lookLater();
    });
  }

  #look(): void {
    const nowMs = this.#clock.monotonic();
    for (const watch of [...this.#watches]) {
      if (nowMs >= watch.endsAtMs) watch.writer.end();
      else if (nowMs >= watch.bookmarkAtMs) {
        watch.bookmarkAtMs = nextBookmarkMs(nowMs);
        watch.writer.bookmark(this.#revision(), false);
        watch.writer.flush();
      }
    }
  }
}
