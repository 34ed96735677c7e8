import { randomInt } from "node:crypto";
import type { Clock } from "../../../base/clock.ts";

/** Who holds a number: the key of the object that names it. */
export type Holder = string;

export interface NumberPoolOptions {
  /** Numbers go from 0 to `size` - 1. */
  readonly size: number;
  /** Numbers below are left to those who ask for one by name, as long as there are others. */
  readonly staticSize: number;
  readonly clock: Clock;
}

/** A number given to a write that never came to the store is free again after this time. */
const promiseMs = 30_000;

/**
 * Numbers of which each is held by one object at a time. The objects themselves say who holds what (`set`), so that
 * nothing has to be given back or repaired; what was promised to a write that is still on its way is kept apart.
 */
export class NumberPool {
  readonly #options: NumberPoolOptions;
  readonly #held = new Map<number, Set<Holder>>();
  readonly #heldBy = new Map<Holder, readonly number[]>();
  readonly #reserved = new Map<number, Holder>();
  readonly #promised = new Map<number, { readonly holder: Holder; readonly until: number }>();

  constructor(options: NumberPoolOptions) {
    this.#options = options;
  }

  /** Says what an object holds from now on; its promises are kept with that. */
  set(holder: Holder, numbers: readonly number[]): void {
    for (const number of this.#heldBy.get(holder) ?? []) this.#release(number, holder);
    this.#heldBy.delete(holder);
    if (numbers.length > 0) this.#heldBy.set(holder, numbers);
    for (const number of numbers) this.#hold(number, holder);
    for (const [number, promise] of this.#promised) {
      if (promise.holder === holder) this.#promised.delete(number);
    }
  }

  /** Keeps a number for `holder` until further notice, or, with undefined, for nobody any longer. */
  reserve(number: number, holder: Holder | undefined): void {
    if (holder === undefined) this.#reserved.delete(number);
    else this.#reserved.set(number, holder);
    this.#promised.delete(number);
  }

  /** Whether `holder` may have the number: it is free, or its own. */
  isFreeFor(number: number, holder: Holder): boolean {
    if ((this.#reserved.get(number) ?? holder) !== holder) return false;
    const holders = this.#held.get(number);
    if (holders !== undefined) return holders.has(holder);
    const promise = this.#promised.get(number);
    if (promise === undefined) return true;
    return promise.holder === holder || promise.until <= this.#options.clock.monotonic();
  }

  /** Keeps the number for a write of `holder`'s. False where another has it. */
  promise(number: number, holder: Holder): boolean {
    if (!this.isFreeFor(number, holder)) return false;
    const until = this.#options.clock.monotonic() + promiseMs;
    if (!this.#held.has(number)) this.#promised.set(number, { holder, until });
    return true;
  }

  /** Some free number that `refuses` does not refuse; undefined where there is none. Not promised yet. */
  pick(holder: Holder, refuses: (number: number) => boolean): number | undefined {
    const { size, staticSize } = this.#options;
    // Whoever tries again and again what is refused must not use up the numbers of all others.
    for (const [number, promise] of this.#promised) {
      if (promise.holder === holder && this.isFreeFor(number, holder) && !refuses(number))
        return number;
    }
    return (
      this.#pickBetween(staticSize, size, holder, refuses) ??
      this.#pickBetween(0, staticSize, holder, refuses)
    );
  }

  #pickBetween(
    from: number,
    to: number,
    holder: Holder,
    refuses: (number: number) => boolean,
  ): number | undefined {
    if (to <= from) return undefined;
    const start = randomInt(from, to);
    for (let step = 0; step < to - from; step += 1) {
      const number = from + ((start - from + step) % (to - from));
      if (this.isFreeFor(number, holder) && !refuses(number)) return number;
    }
    return undefined;
  }

  #hold(number: number, holder: Holder): void {
    const holders = this.#held.get(number);
    if (holders === undefined) this.#held.set(number, new Set([holder]));
    else holders.add(holder);
    this.#promised.delete(number);
  }

  #release(number: number, holder: Holder): void {
    const holders = this.#held.get(number);
    holders?.delete(holder);
    if (holders?.size === 0) this.#held.delete(number);
  }
}

/** How much of a range is kept for those who ask by name: as upstream, a sixteenth, from 16 up to `max`. */
export function staticPartOf(size: number, max: number): number {
  const min = 16;
  if (size < min) return 0;
  const part = Math.floor(size / 16);
  if (part < min) return min;
  return Math.min(part, max);
}
