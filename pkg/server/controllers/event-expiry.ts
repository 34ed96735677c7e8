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
  /** A storm of them must not fill the memory and the disk of a small machine for an hour. */
  eventsMax: 10_000,
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

/**
 * Those that were last seen too long ago, and of the others the oldest beyond `eventsMax`; the oldest first.
 *
 * @package
 */
export function eventsToRemove(
  events: readonly Event[],
  nowMs: number,
  eventsMax = limits.eventsMax,
): readonly Event[] {
  const seen = events
    .map((event) => ({ event, atMs: lastSeenMs(event) }))
    .sort((one, other) => one.atMs - other.atMs);
  const oldest = nowMs - limits.keptMs;
  return seen
    .filter(({ atMs }, index) => atMs <= oldest || index < seen.length - eventsMax)
    .map(({ event }) => event);
}

/** Removes events an hour after they were last seen, or sooner where they are too many. */
export function eventExpiry(deps: {
  readonly client: Client;
  readonly events: Informer<Event>;
  readonly clock: Clock;
  readonly logger: Logger;
}): Service {
  const { client, events, clock, logger } = deps;

  async function expire(signal: AbortSignal): Promise<void> {
    for (const event of eventsToRemove(events.list(), clock.now())) {
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
