import { isAbortOf } from "../../base/abort.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";

export interface KeeperOptions {
  readonly name: string;
  /** What is kept, for the log: `the objects of flow control`. */
  readonly what: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Calls `wake` after each change of what `keep` looks at. Returns the ways to stop. */
  subscribe(wake: () => void): readonly (() => void)[];
  /** Makes it so; called at the start and after each change, never twice at a time. */
  keep(signal: AbortSignal): Promise<void>;
}

/** Changes come in groups; what could not be written is tried again so much later. */
const settleMs = 50;
const retryMs = 10_000;

/** Keeps objects as they should be. Woken by changes; idle, it does nothing. */
export function createKeeper(options: KeeperOptions): Service {
  const { clock, log } = options;
  return {
    name: options.name,
    async run(signal) {
      let changed = Promise.withResolvers<void>();
      const wake = () => changed.resolve();
      const stops = options.subscribe(wake);
      signal.addEventListener("abort", wake, { once: true });
      while (!signal.aborted) {
        try {
          changed = Promise.withResolvers();
          await options.keep(signal);
          await changed.promise;
          await clock.sleep(settleMs, signal);
        } catch (caught) {
          if (isAbortOf(signal, caught)) break;
          log.warn(`cannot keep ${options.what}`, { error: caught });
          await clock.sleep(retryMs, signal).catch(() => {});
        }
      }
      signal.removeEventListener("abort", wake);
      for (const stop of stops) stop();
    },
  };
}
