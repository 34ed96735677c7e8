import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { OrderedMap } from "../../base/ordered-map.ts";
import type { StoredValue, StoreEvent } from "../datastore.ts";
import { History, type HistoryLimits } from "../history.ts";
import type { ThreadWrite } from "./protocol.ts";
import { segmentOf } from "./segment.ts";
import type { OpenedFile } from "./sqlite-thread.ts";

/** The history that the file holds; without a past where that does not lead to its present. */
export function historyOf(
  opened: OpenedFile,
  options: { readonly clock: Clock; readonly limits: HistoryLimits; readonly logger: Logger },
): History {
  const { revision } = opened;
  const volatile = new Set(opened.volatile);
  const state = stateOf(opened.values);
  const events = eventsOf(
    state,
    opened.past.filter(({ key }) => !volatile.has(segmentOf(key))),
  );
  if (events === undefined)
    options.logger.warn("the datastore's history does not lead to its state and is left out");
  return new History({
    clock: options.clock,
    limits: options.limits,
    state,
    revision,
    oldest: events === undefined ? revision : opened.oldest,
    events: events ?? [],
    segmentOldest: new Map(opened.volatile.map((segment) => [segment, revision])),
  });
}

function stateOf(values: readonly ThreadWrite[]): OrderedMap<StoredValue> {
  let state = OrderedMap.empty<StoredValue>();
  for (const write of values) state = state.set(write.key, storedFrom(write));
  return state;
}

/** A value in a buffer of its own, so that it does not keep all those alive that it came with. */
function storedFrom({ key, createRevision, revision, value }: ThreadWrite): StoredValue {
  return { key, createRevision, revision, value: value?.slice() ?? new Uint8Array() };
}

/**
 * The events that led to `state`, from undo records (each change followed by what it replaced), going back from
 * the newest. Undefined where the two do not fit together.
 */
function eventsOf(
  state: OrderedMap<StoredValue>,
  rows: readonly ThreadWrite[],
): StoreEvent[] | undefined {
  const events: StoreEvent[] = [];
  const earlier = new Map<string, StoredValue | undefined>();
  for (let index = rows.length - 2; index >= 0; index -= 2) {
    const [change, replaced] = [rows[index], rows[index + 1]];
    if (change === undefined || replaced === undefined) return undefined;
    const { key } = change;
    const after = earlier.has(key) ? earlier.get(key) : state.get(key);
    const event = eventOf(change, replaced, after);
    if (event === undefined) return undefined;
    events.push(event);
    earlier.set(key, event.previous);
  }
  return events.reverse();
}

/** `after` is what the key held once the change was made. */
function eventOf(
  { type, revision }: ThreadWrite,
  replaced: ThreadWrite,
  after: StoredValue | undefined,
): StoreEvent | undefined {
  if (revision === 0) return undefined;
  const previous = replaced.revision === 0 ? undefined : storedFrom(replaced);
  if (type === "put")
    return after?.revision === revision ? { type, revision, current: after, previous } : undefined;
  if (previous === undefined || after !== undefined) return undefined;
  return { type, revision, current: { ...previous, revision }, previous };
}
