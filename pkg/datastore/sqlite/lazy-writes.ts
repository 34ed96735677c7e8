import type { Revision } from "../datastore.ts";
import type { ThreadWrite } from "./protocol.ts";

export interface LazyWrite {
  readonly write: ThreadWrite;
  readonly durability: "lazy" | "at-close";
}

/** What was acknowledged and is not on the disk yet: of each key only the latest state, because no history of it is kept there. */
export class LazyWrites {
  readonly #byKey = new Map<string, LazyWrite>();
  #lazyCount = 0;

  get count(): number {
    return this.#byKey.size;
  }

  /** How many wait for the next slow group; those that wait for the close are not among them. */
  get lazyCount(): number {
    return this.#lazyCount;
  }

  add(lazy: LazyWrite): void {
    this.take(lazy.write.key);
    this.#byKey.set(lazy.write.key, lazy);
    if (lazy.durability === "lazy") this.#lazyCount++;
  }

  /** Puts back what could not be written, unless the key has been written since. */
  restore(lazy: LazyWrite): void {
    if (!this.#byKey.has(lazy.write.key)) this.add(lazy);
  }

  take(key: string): LazyWrite | undefined {
    const lazy = this.#byKey.get(key);
    if (lazy === undefined) return undefined;
    this.#byKey.delete(key);
    if (lazy.durability === "lazy") this.#lazyCount--;
    return lazy;
  }

  /** Drops what waits for a key that a later write has put on the disk. */
  supersede(key: string, revision: Revision): void {
    const lazy = this.#byKey.get(key);
    if (lazy !== undefined && lazy.write.revision < revision) this.take(key);
  }

  /** For a slow group, or with "at-close" for the last one: all, but for those keys that are left out. */
  takeAll(upTo: "lazy" | "at-close", leaveOut: (key: string) => boolean): LazyWrite[] {
    const taken = [...this.#byKey.values()].filter(
      ({ durability, write }) =>
        (upTo === "at-close" || durability === "lazy") && !leaveOut(write.key),
    );
    for (const { write } of taken) this.take(write.key);
    return taken;
  }
}
