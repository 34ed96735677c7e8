import type {
  Datastore,
  KeyRange,
  ListResult,
  Revision,
  WatchItem,
} from "../../pkg/datastore/datastore.ts";

/** What a store is made to do wrong between its clients and itself, to see that it is found out. */
export interface StoreFaults {
  /** A watcher that comes late for many events does not get all of them. */
  readonly losesEventsOfStarvedWatches?: boolean;
  /** A watcher that comes late is told again what it was told last. */
  readonly doublesEvents?: boolean;
  /** A watch that should be told that it has expired begins at the oldest revision instead. */
  readonly watchesFromCompaction?: boolean;
  /** After nothing was read for a while, what was read last is taken for the present. */
  readonly readsStaleAfterPause?: boolean;
}

const starvedEvents = 3;
const pauseMs = 10_000;

/** `store`, but for its faults. */
export function faultyStore(store: Datastore, faults: StoreFaults, now: () => number): Datastore {
  let readAt = now();
  let readRevision = 0;
  const list = async (range: KeyRange, at?: Revision): Promise<ListResult> => {
    const paused = now() - readAt > pauseMs && readRevision > 0;
    const stale = faults.readsStaleAfterPause === true && paused && at === undefined;
    const answer = await store.list(range, stale ? readRevision : at);
    readAt = now();
    if (answer.outcome === "listed" && at === undefined) readRevision = answer.revision;
    return answer.outcome === "expired" && stale ? store.list(range) : answer;
  };
  return {
    currentRevision: () => store.currentRevision(),
    get: (key) => store.get(key),
    list,
    count: (prefix) => store.count(prefix),
    create: (key, value, options) => store.create(key, value, options),
    update: (key, value, expected, options) => store.update(key, value, expected, options),
    delete: (key, expected, options) => store.delete(key, expected, options),
    watch: (prefix, after, signal) => faultyWatch(store, faults, prefix, after, signal),
    compact: (before) => store.compact(before),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

async function* faultyWatch(
  store: Datastore,
  faults: StoreFaults,
  prefix: string,
  after: Revision,
  signal: AbortSignal,
): AsyncGenerator<WatchItem> {
  let last: Extract<WatchItem, { type: "events" }>["events"][number] | undefined;
  for await (const item of store.watch(prefix, after, signal)) {
    if (item.type === "expired") {
      if (faults.watchesFromCompaction !== true) yield item;
      else {
        yield { type: "events", events: [], upTo: item.oldest };
        yield* faultyWatch(store, faults, prefix, item.oldest, signal);
      }
      return;
    }
    const starved = item.events.length >= starvedEvents;
    let { events } = item;
    if (starved && faults.losesEventsOfStarvedWatches === true) events = events.slice(1);
    if (starved && faults.doublesEvents === true && last !== undefined) events = [last, ...events];
    last = item.events.at(-1) ?? last;
    yield { ...item, events };
  }
}
