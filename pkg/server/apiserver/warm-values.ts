/** What holds something that can be made again from its bytes. */
export interface WarmValue {
  readonly storedBytes: number;
  /** Lets go of it, unless it was asked for since this was last called: then false. */
  cool(): boolean;
}

/** What one costs beyond its bytes. */
const overheadBytes = 512;

/**
 * Bounds how many objects hold their parsed values: once those are too many, the ones that were made longest ago, and
 * not asked for since, let go of them.
 */
export class WarmValues {
  readonly #bytesMax: number;
  #queue: WarmValue[] = [];
  #head = 0;
  #bytes = 0;

  /** `bytesMax`: of the objects as they are stored; their values are two or three times as large. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(value: WarmValue): void {
    this.#push(value);
    while (this.#bytes > this.#bytesMax) this.#coolOldest();
  }

  #push(value: WarmValue): void {
    this.#queue.push(value);
    this.#bytes += costOf(value);
  }

  #coolOldest(): void {
    const oldest = this.#queue[this.#head] as WarmValue;
    this.#head += 1;
    this.#bytes -= costOf(oldest);
    if (this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    if (!oldest.cool()) this.#push(oldest);
  }
}

function costOf({ storedBytes }: WarmValue): number {
  return overheadBytes + storedBytes;
}
