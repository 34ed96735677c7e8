import { type BackoffPolicy, backoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";

/** Told of what a queue does, for the `workqueue_*` metrics. */
export interface WorkQueueMetrics {
  added(): void;
  depth(keys: number): void;
  /** A worker took a key that had waited this long. */
  taken(waitedMs: number): void;
  done(workedMs: number): void;
  retried(): void;
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly metrics?: WorkQueueMetrics;
}

/** client-go's default for controllers: each key for itself … */
const keyBackoff: BackoffPolicy = { firstMs: 5, maxMs: 1_000_000 };
/** … and all of them together, so that a thousand failing keys do not become a storm. */
const retriesPerSecond = 10;
const retriesBurst = 100;

/** Each key is handed to at most one worker at a time; adding it meanwhile hands it out once more. */
export class WorkQueue<Key> {
  readonly #clock: Clock;
  readonly #metrics: WorkQueueMetrics | undefined;
  /** Keys to hand out, in order, with when they came. Every one is in `#dirty`, none in `#processing`. */
  readonly #queued = new Map<Key, number>();
  /** Keys that need work: those queued, and those that were added while they were worked on. */
  readonly #dirty = new Set<Key>();
  /** Keys that a worker holds, with when it took them. */
  readonly #processing = new Map<Key, number>();
  /** Adds that are still to come: at most one a key, the earliest asked for. */
  readonly #delayed = new Map<Key, { readonly dueMs: number; readonly cancel: () => void }>();
  readonly #failures = new Map<Key, number>();
  readonly #waiting: ((key: Key | undefined) => void)[] = [];
  #tokens = retriesBurst;
  #tokensAtMs: number;
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#metrics = options.metrics;
    this.#tokensAtMs = options.clock.monotonic();
  }

  /** How many keys wait for a worker. */
  get depth(): number {
    return this.#queued.size;
  }

  add(key: Key): void {
    if (this.#closed || this.#dirty.has(key)) return;
    this.#metrics?.added();
    this.#dirty.add(key);
    if (!this.#processing.has(key)) this.#enqueue(key);
  }

  /** Adds `key` after a while; if that was asked for before, at the earlier of the two times. */
  addAfter(key: Key, delayMs: number): void {
    if (this.#closed) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const dueMs = this.#clock.monotonic() + delayMs;
    const delayed = this.#delayed.get(key);
    if (delayed !== undefined) {
      if (delayed.dueMs <= dueMs) return;
      delayed.cancel();
    }
    const cancel = this.#clock.after(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { dueMs, cancel });
  }

  /** Adds `key` again after it failed: later each time, until it is forgotten. */
  addRateLimited(key: Key): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.#metrics?.retried();
    this.addAfter(key, Math.max(backoffMs(keyBackoff, failures), this.#tokenWaitMs()));
  }

  /** How often `key` failed in a row. */
  failures(key: Key): number {
    return this.#failures.get(key) ?? 0;
  }

  /** `key` succeeded: its next failure is a first one. */
  forget(key: Key): void {
    this.#failures.delete(key);
  }

  /** The next key, as soon as there is one; undefined once the queue is closed. Answer it with `done`. */
  take(): Promise<Key | undefined> {
    for (const key of this.#queued.keys()) return Promise.resolve(this.#hand(key));
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The worker let go of `key`: if it was added meanwhile, it is handed out again. */
  done(key: Key): void {
    const takenAtMs = this.#processing.get(key);
    if (takenAtMs === undefined) return;
    this.#processing.delete(key);
    this.#metrics?.done(this.#clock.monotonic() - takenAtMs);
    if (this.#dirty.has(key)) this.#enqueue(key);
  }

  /** Hands out nothing more and takes nothing in. Workers that wait are sent home. */
  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#queued.clear();
    this.#dirty.clear();
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }

  #enqueue(key: Key): void {
    this.#queued.set(key, this.#clock.monotonic());
    this.#metrics?.depth(this.#queued.size);
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting(this.#hand(key));
  }

  #hand(key: Key): Key {
    const now = this.#clock.monotonic();
    this.#metrics?.taken(now - (this.#queued.get(key) ?? now));
    this.#queued.delete(key);
    this.#metrics?.depth(this.#queued.size);
    this.#dirty.delete(key);
    this.#processing.set(key, now);
    return key;
  }

  /** Takes a token of the common bucket, on credit if need be, and says how long until it is really there. */
  #tokenWaitMs(): number {
    const now = this.#clock.monotonic();
    const earned = ((now - this.#tokensAtMs) / 1000) * retriesPerSecond;
    this.#tokens = Math.min(retriesBurst, this.#tokens + earned) - 1;
    this.#tokensAtMs = now;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / retriesPerSecond) * 1000;
  }
}
