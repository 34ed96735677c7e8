import { OrderedMap } from "../../base/ordered-map.ts";
import type { StoredValue, StoreEvent } from "../datastore.ts";
import type { ThreadWrite } from "./protocol.ts";

/** A value in a buffer of its own, so that it does not keep all those alive that it came with. */
function storedFrom({ key, createRevision, revision, value }: ThreadWrite): StoredValue {
  return { key, createRevision, revision, value: value?.slice() ?? new Uint8Array() };
}

export function stateOf(values: readonly ThreadWrite[]): OrderedMap<StoredValue> {
  let state = OrderedMap.empty<StoredValue>();
  for (const write of values) state = state.set(write.key, storedFrom(write));
  return state;
}

/**
 * The events that led to `state`, from undo records (each change followed by what it replaced), going back from
 * the newest. Undefined where the two do not fit together.
 */
export function eventsOf(
  state: OrderedMap<StoredValue>,
  rows: readonly ThreadWrite[],
): StoreEvent[] | undefined {
  const events: StoreEvent[] = [];
  const earlier = new Map<string, StoredValue | undefined>();
  for (let index = rows.length - 2; index >= 0; index -= 2) {
    const [change, replaced] = [rows[index], rows[index + 1]];
    if (change === undefined || replaced === undefined) return undefined;
    const { type, key, revision } = change;
    const previous = replaced.revision === 0 ? undefined : storedFrom(replaced);
    const after = earlier.has(key) ? earlier.get(key) : state.get(key);
    const current =
      type === "put" ? after : previous === undefined ? undefined : { ...previous, revision };
    if (current === undefined || current.revision !== revision) return undefined;
    events.push({ type, revision, current, previous });
    earlier.set(key, previous);
  }
  return events.reverse();
}
