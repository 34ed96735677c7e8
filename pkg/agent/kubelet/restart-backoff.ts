/** As upstream: the first restart is at once, then the waits double from here to there. */
const firstMs = 10_000;
const maxMs = 300_000;
/** A container that ran for so long since the last restart starts over. */
const forgetAfterMs = 2 * maxMs;

interface Entry {
  readonly delayMs: number;
  readonly restartedAtMs: number;
}

/** How long each container of a pod waits before it is started again. */
export class RestartBackoff {
  readonly #entries = new Map<string, Entry>();

  /** The wait after an end at `finishedAtMs`; 0: at once. */
  delayMs(name: string, finishedAtMs: number): number {
    const entry = this.#entries.get(name);
    if (entry === undefined || finishedAtMs - entry.restartedAtMs > forgetAfterMs) return 0;
    return entry.delayMs;
  }

  /** It is started again now: the next wait is longer. */
  restarted(name: string, finishedAtMs: number, nowMs: number): void {
    const delay = this.delayMs(name, finishedAtMs);
    this.#entries.set(name, {
      delayMs: delay === 0 ? firstMs : Math.min(maxMs, delay * 2),
      restartedAtMs: nowMs,
    });
  }
}

/** As Go prints a duration: `10s`, `1m20s`, `5m0s`. */
export function formatDelay(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
