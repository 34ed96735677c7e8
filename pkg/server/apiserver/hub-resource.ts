import { OrderedMap } from "../../base/ordered-map.ts";
import type { Revision } from "../../datastore/datastore.ts";
import type { HubEvent, HubRange } from "./hub.ts";
import type { HubObject } from "./hub-object.ts";

export interface HubWindowLimits {
  readonly eventsMax: number;
  readonly bytesMax: number;
  /** The newest events keep what was made of their objects; older ones keep the stored bytes only. */
  readonly warmEventsMax: number;
  /** States at past revisions that are kept ready for the next page of a list. */
  readonly snapshotsMax: number;
}

export const defaultWindowLimits: HubWindowLimits = {
  eventsMax: 16_384,
  bytesMax: 16 * 1024 * 1024,
  warmEventsMax: 512,
  snapshotsMax: 16,
};

export interface ResourceEvent extends HubEvent {
  readonly current: HubObject;
  readonly previous: HubObject | undefined;
}

/** Where a key's resource ends: everything up to and including its first slash. */
export function resourceOf(key: string): string {
  return key.slice(0, key.indexOf("/") + 1);
}

/** All objects of one resource, and the window of events by which its recent past can be told. */
export class HubResource {
  readonly #limits: HubWindowLimits;
  readonly #snapshots = new Map<Revision, OrderedMap<HubObject>>();
  #objects: OrderedMap<HubObject>;
  /** Those before `#head` are forgotten, and cut off once they are half of it. */
  #events: ResourceEvent[] = [];
  #head = 0;
  #bytes = 0;
  /** Of the objects that are there now. */
  #presentBytes = 0;
  #oldest: Revision;

  constructor(
    limits: HubWindowLimits,
    oldest: Revision,
    objects: OrderedMap<HubObject> = OrderedMap.empty(),
    past: readonly ResourceEvent[] = [],
  ) {
    this.#limits = limits;
    this.#oldest = oldest;
    this.#objects = objects;
    objects.scan({ prefix: "" }, ({ storedBytes }) => {
      this.#presentBytes += storedBytes;
      return true;
    });
    for (const event of past) this.#remember(event);
  }

  /** The oldest revision that a list may ask for, or a watch start after. */
  get oldest(): Revision {
    return this.#oldest;
  }

  get(key: string): HubObject | undefined {
    return this.#objects.get(key);
  }

  get stats(): { readonly count: number; readonly bytes: number } {
    return { count: this.#objects.size, bytes: this.#presentBytes };
  }

  apply(event: ResourceEvent): void {
    const { key } = event.current;
    this.#presentBytes -= event.previous?.storedBytes ?? 0;
    if (event.type !== "deleted") this.#presentBytes += event.current.storedBytes;
    this.#objects =
      event.type === "deleted" ? this.#objects.delete(key) : this.#objects.set(key, event.current);
    this.#remember(event);
  }

  /** The objects as they are, or as they were at `at`; undefined where that is forgotten. */
  objectsAt(at: Revision | undefined): OrderedMap<HubObject> | undefined {
    if (at === undefined) return this.#objects;
    if (at < this.#oldest) return undefined;
    const first = this.#indexAfter(at);
    if (first === this.#events.length) return this.#objects;
    const ready = this.#snapshots.get(at);
    if (ready !== undefined) return ready;
    return this.#keepSnapshot(at, this.#undone(first));
  }

  eventsAfter(after: Revision, range: Pick<HubRange, "prefix">): ResourceEvent[] {
    const found: ResourceEvent[] = [];
    for (let index = this.#indexAfter(after); index < this.#events.length; index++) {
      const event = this.#eventAt(index);
      if (covers(range.prefix, event.current.key)) found.push(event);
    }
    return found;
  }

  #eventAt(index: number): ResourceEvent {
    return this.#events[index] as ResourceEvent;
  }

  #indexAfter(after: Revision): number {
    let low = this.#head;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#eventAt(middle).revision <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The present without the events from `first` on. */
  #undone(first: number): OrderedMap<HubObject> {
    let objects = this.#objects;
    for (let index = this.#events.length - 1; index >= first; index--) {
      const { current, previous } = this.#eventAt(index);
      objects =
        previous === undefined ? objects.delete(current.key) : objects.set(current.key, previous);
    }
    return objects;
  }

  #keepSnapshot(at: Revision, objects: OrderedMap<HubObject>): OrderedMap<HubObject> {
    for (const oldest of this.#snapshots.keys()) {
      if (this.#snapshots.size < this.#limits.snapshotsMax) break;
      this.#snapshots.delete(oldest);
    }
    this.#snapshots.set(at, objects);
    return objects;
  }

  #remember(event: ResourceEvent): void {
    this.#events.push(event);
    this.#bytes += bytesOf(event);
    const { eventsMax, bytesMax, warmEventsMax } = this.#limits;
    const cooled = this.#events.length - 1 - warmEventsMax;
    if (cooled >= this.#head) this.#cool(this.#eventAt(cooled));
    while (this.#events.length - this.#head > eventsMax || this.#bytes > bytesMax)
      this.#forgetOldest();
    if (this.#head > 0 && this.#head * 2 >= this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Of what an old event holds, only its replaced or deleted state is sure to be nobody's present. */
  #cool({ type, current, previous }: ResourceEvent): void {
    previous?.shrink();
    if (type === "deleted") current.shrink();
  }

  #forgetOldest(): void {
    const event = this.#eventAt(this.#head);
    this.#head++;
    this.#bytes -= bytesOf(event);
    this.#oldest = event.revision;
    for (const at of this.#snapshots.keys()) {
      if (at < this.#oldest) this.#snapshots.delete(at);
    }
  }
}

/** True where a range of `prefix` takes in `key`: a prefix that ends without a slash is one whole key. */
export function covers(prefix: string, key: string): boolean {
  return prefix === "" || prefix.endsWith("/") ? key.startsWith(prefix) : key === prefix;
}

function bytesOf(event: ResourceEvent): number {
  return 400 + (event.previous?.storedBytes ?? 0);
}
