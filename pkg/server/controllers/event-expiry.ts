import { ApiError } from "../../api/api-error.ts";
import type { Event } from "../../api/generated/core-v1.generated.ts";
import { keyOf } from "../../api/object.ts";
import { eventResource } from "../../api/resources/event.ts";
import { parseTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import type { Client } from "../../client/client.ts";
import type { Informer } from "../../client/informer.ts";

const limits = {
  /** kube-apiserver's `--event-ttl`. */
  keptMs: 3_600_000,
  periodMs: 60_000,
};

/**
 * When an event was last seen, in milliseconds since 1970.
 *
 * @package
 */
export function lastSeenMs(event: Event): number {
  const times = [
    event.metadata.creationTimestamp,
    event.lastTimestamp,
    event.eventTime,
    event.series?.lastObservedTime,
  ];
  return Math.max(...times.map((time) => parseTime(time) ?? 0));
}

/** Removes events an hour after they were last seen. */
export function eventExpiry(deps: {
  readonly client: Client;
  readonly events: Informer<Event>;
  readonly clock: Clock;
  readonly logger: Logger;
}): Service {
  const { client, events, clock, logger } = deps;

  async function expire(signal: AbortSignal): Promise<void> {
    const oldest = clock.now() - limits.keptMs;
    for (const event of events.list()) {
      if (lastSeenMs(event) > oldest) continue;
      const { uid, resourceVersion } = event.metadata;
      try {
        const preconditions = { uid, resourceVersion };
        await client.delete(eventResource, keyOf(event), signal, { preconditions });
      } catch (caught) {
        signal.throwIfAborted();
        const error = ApiError.from(caught);
        // Seen again meanwhile.
        if (error.reason === "Conflict") continue;
        logger.warn("cannot remove an old event, trying again later", {
          event: keyOf(event),
          error: error.message,
        });
        // The others would fail for the same reason, each with a line in the log.
        return;
      }
    }
  }

  return {
    name: "controller event-expiry",
    async run(signal) {
      try {
        await events.synced(signal);
        for (;;) {
          await expire(signal);
          await clock.sleep(limits.periodMs, signal);
        }
      } catch (caught) {
        if (!signal.aborted) throw caught;
      }
    },
  };
}
