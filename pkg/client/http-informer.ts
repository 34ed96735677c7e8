import { ApiError } from "../api/api-error.ts";
import { type KubernetesObject, keyOf } from "../api/object.ts";
import { backoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { ObjectList } from "./client.ts";
import type { Informer } from "./informer.ts";
import { InformerCache } from "./informer-cache.ts";
import { isConnectionLost } from "./transport.ts";

export type WatchLine<T extends KubernetesObject> =
  | { readonly type: "set" | "deleted"; readonly object: T }
  /** Of `object` only the resourceVersion counts. */
  | { readonly type: "bookmark"; readonly object: KubernetesObject };

/** Where an informer's objects come from. Both reject with an `ApiError`; "Expired" and "Gone" mean: list again. */
export interface ListWatch<T extends KubernetesObject> {
  list(resourceVersion: string, signal: AbortSignal): Promise<ObjectList<T>>;
  watch(
    resourceVersion: string,
    timeoutSeconds: number,
    signal: AbortSignal,
  ): AsyncIterable<WatchLine<T>>;
}

export interface HttpInformerOptions<T extends KubernetesObject> {
  readonly name: string;
  readonly source: ListWatch<T>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/** client-go's: what a reflector waits between tries, before jitter. */
const retry = { firstMs: 800, maxMs: 30_000 };
/** A watch that ended sooner, and told nothing, was no watch: asking again at once would go on for ever. */
const watchMsMin = 1_000;
/** Each watch asks to be ended after this long, up to twice as long: so that watches spread over servers. */
const watchSecondsMin = 300;

/** A lister that is kept current by list and watch, over anything that can do both. */
export function createHttpInformer<T extends KubernetesObject>(
  options: HttpInformerOptions<T>,
): Informer<T> {
  const { source, clock, logger, random, name } = options;
  const cache = new InformerCache<T>();
  /** Where the next watch starts; "" means that a list is due. */
  let position = "";
  let listFrom = "0";

  async function listOnce(signal: AbortSignal): Promise<void> {
    const listed = await source.list(listFrom, signal);
    cache.replace(listed.items, listed.resourceVersion);
    position = listed.resourceVersion;
    listFrom = "0";
  }

  async function watchOnce(signal: AbortSignal): Promise<void> {
    const seconds = Math.floor(watchSecondsMin * (1 + random()));
    const startedAtMs = clock.monotonic();
    let told = false;
    for await (const line of source.watch(position, seconds, signal)) {
      told = true;
      if (line.type === "set") cache.set(line.object);
      else if (line.type === "deleted") cache.remove(keyOf(line.object), line.object);
      position = line.object.metadata.resourceVersion;
      cache.reached(position);
    }
    signal.throwIfAborted();
    if (!told && clock.monotonic() - startedAtMs < watchMsMin) {
      throw new ApiError("ServiceUnavailable", "the server ended a watch as soon as it began");
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const before = position;
      try {
        if (position === "") await listOnce(signal);
        await watchOnce(signal);
        failures = 0;
      } catch (caught) {
        if (signal.aborted) return;
        // What got further before it failed was healthy: the next failure is a first one.
        failures = position === before ? failures + 1 : 1;
        const error = ApiError.from(caught);
        if (error.reason === "Expired" || error.reason === "Gone") {
          logger.debug("the history of a watch is gone, listing again", { resource: name });
          position = "";
          // "0" may be answered out of a cache that is as old; "" is always current.
          listFrom = "";
        } else {
          // That nobody is there is told by who connects: once for all the resources that are followed.
          logger[isConnectionLost(error) ? "debug" : "warn"](
            "cannot follow a resource, trying again",
            {
              resource: name,
              failures,
              error: error.message,
            },
          );
        }
        const waitMs = backoffMs(retry, failures) * (1 + random());
        await clock.sleep(waitMs, signal).catch(() => undefined);
      }
    }
  }

  return {
    get: (key) => cache.get(key),
    list: (namespace) => cache.list(namespace),
    ownedBy: (uid) => cache.ownedBy(uid),
    subscribe: (handler) => cache.subscribe(handler),
    synced: (signal) => cache.synced(signal),
    caughtUp: (resourceVersion, signal) => cache.caughtUp(resourceVersion, signal),
    run,
  };
}
