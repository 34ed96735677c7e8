import { setTimeout as sleepTimer } from "node:timers/promises";

/** Time as the code sees it: passed in wherever something waits, so that a test can move it. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970: for timestamps, certificates and tokens only. */
  now(): number;
  /** Milliseconds that never go back, from an arbitrary start: for intervals, leases and timers. */
  monotonic(): number;
  /** Resolves after `durationMs`; rejects with `signal.reason` as soon as `signal` aborts. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
  /** Calls `callback` once after `durationMs`, unless the returned function is called before. Does not keep the process alive. */
  after(durationMs: number, callback: () => void): () => void;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(durationMs, signal) {
    try {
      await sleepTimer(durationMs, undefined, { signal });
    } catch (caught) {
      // Node rejects with an AbortError that only wraps the reason; callers compare with the reason itself.
      throw signal.aborted ? signal.reason : caught;
    }
  },
  after(durationMs, callback) {
    const timer = setTimeout(callback, durationMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
