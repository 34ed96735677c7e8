/** What was wanted of something over a period. */
export interface Demand {
  readonly average: number;
  readonly deviation: number;
  readonly highest: number;
}

/** Integrates how many seats are wanted over time. */
export class SeatDemand {
  #value = 0;
  #highest = 0;
  #sinceMs: number;
  #lastMs: number;
  #area = 0;
  #areaOfSquares = 0;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
    this.#lastMs = nowMs;
  }

  set(value: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#value = value;
    if (value > this.#highest) this.#highest = value;
  }

  /** The period since the last reset; undefined where it had no length. */
  reset(nowMs: number): Demand | undefined {
    this.#advance(nowMs);
    const durationMs = nowMs - this.#sinceMs;
    const highest = this.#highest;
    const average = this.#area / durationMs;
    const variance = this.#areaOfSquares / durationMs - average * average;
    this.#sinceMs = nowMs;
    this.#area = 0;
    this.#areaOfSquares = 0;
    this.#highest = this.#value;
    if (durationMs <= 0) return undefined;
    return { average, deviation: Math.sqrt(Math.max(0, variance)), highest };
  }

  #advance(nowMs: number): void {
    const durationMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    this.#area += durationMs * this.#value;
    this.#areaOfSquares += durationMs * this.#value * this.#value;
  }
}
