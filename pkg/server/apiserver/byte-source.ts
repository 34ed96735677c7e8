/** Bytes that come in parts, and go out in pieces of any length. */
export class ByteSource {
  readonly #next: () => Uint8Array | undefined;
  #part: Uint8Array | undefined;
  #at = 0;

  /** `next`: the following part; undefined where there is none now. */
  constructor(next: () => Uint8Array | undefined) {
    this.#next = next;
  }

  /** Copies as much as there is, and as has room, to the beginning of `target`; returns how much. */
  fill(target: Uint8Array): number {
    let filled = 0;
    while (filled < target.length) {
      this.#part ??= this.#next();
      const part = this.#part;
      if (part === undefined) break;
      const end = Math.min(part.length, this.#at + target.length - filled);
      target.set(
        this.#at === 0 && end === part.length ? part : part.subarray(this.#at, end),
        filled,
      );
      filled += end - this.#at;
      this.#at = end;
      if (end < part.length) break;
      this.#part = undefined;
      this.#at = 0;
    }
    return filled;
  }

  /** True where part of what was taken from `next` is still to come. */
  get hasRest(): boolean {
    return this.#part !== undefined;
  }
}
