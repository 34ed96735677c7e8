/** Nobody is told to wait longer. */
const secondsMax = 32;

/**
 * How many seconds those should wait who were refused: as TCP backs off, twice as long when many are refused for as long,
 * and a second less when few are.
 */
export class RetryAfter {
  #seconds = 1;
  #changedAt = Number.NEGATIVE_INFINITY;
  #second = Number.NaN;
  #count = 0;
  readonly #past: { readonly second: number; readonly count: number }[] = [];

  get seconds(): number {
    return this.#seconds;
  }

  refused(nowMs: number): void {
    const second = Math.floor(nowMs / 1_000);
    if (second === this.#second) {
      this.#count += 1;
      return;
    }
    if (!Number.isNaN(this.#second)) this.#past.push({ second: this.#second, count: this.#count });
    this.#second = second;
    this.#count = 1;
    const keptSeconds = Math.min(secondsMax, 2 * this.#seconds);
    while (this.#past[0] !== undefined && second - this.#past[0].second > keptSeconds) {
      this.#past.shift();
    }
    this.#adapt(second);
  }

  #adapt(second: number): void {
    let lately = 0;
    for (const each of this.#past) {
      if (second - each.second <= this.#seconds) lately += each.count;
    }
    if (second - this.#changedAt >= this.#seconds && lately >= 3 * this.#seconds) {
      this.#seconds = Math.min(secondsMax, 2 * this.#seconds);
      this.#changedAt = second;
    } else if (lately < this.#seconds && this.#seconds > 1) this.#seconds -= 1;
  }
}
