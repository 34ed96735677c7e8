import { assert } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import { OrderedMap } from "../base/ordered-map.ts";
import type {
  KeyRange,
  ListResult,
  Revision,
  StoredValue,
  StoreEvent,
  WatchItem,
} from "./datastore.ts";

/** What is forgotten first: whatever lies beyond any of these. */
export interface HistoryLimits {
  readonly eventsMax: number;
  readonly bytesMax: number;
  readonly ageMaxMs: number;
}

export const defaultHistoryLimits: HistoryLimits = {
  eventsMax: 20_000,
  bytesMax: 32 * 1024 * 1024,
  ageMaxMs: 10 * 60_000,
};

interface Remembered {
  readonly event: StoreEvent;
  readonly at: number;
}

/**
 * The present state of every key and the bounded past that led to it, in memory: lists at a revision and
 * watches after one are answered from here. Only what a driver has applied is visible.
 */
export class History {
  readonly #limits: HistoryLimits;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  /** First segments of keys whose past before the revision is not known, though the rest of the past is. */
  readonly #segmentOldest: ReadonlyMap<string, Revision>;
  #state: OrderedMap<StoredValue>;
  /** In the order of revisions; those before `#head` are forgotten, and cut off once they are half of it. */
  #events: Remembered[] = [];
  #head = 0;
  #bytes = 0;
  #revision: Revision;
  #oldest: Revision;

  constructor(options: {
    readonly clock: Clock;
    readonly limits?: Partial<HistoryLimits> | undefined;
    readonly state?: OrderedMap<StoredValue>;
    /** The events after `oldest`, in order. */
    readonly events?: readonly StoreEvent[];
    readonly revision?: Revision;
    readonly oldest?: Revision;
    readonly segmentOldest?: ReadonlyMap<string, Revision>;
  }) {
    this.#limits = { ...defaultHistoryLimits, ...options.limits };
    this.#clock = options.clock;
    this.#state = options.state ?? OrderedMap.empty();
    this.#revision = options.revision ?? 0;
    this.#oldest = options.oldest ?? this.#revision;
    this.#segmentOldest = options.segmentOldest ?? new Map();
    for (const event of options.events ?? []) this.#remember(event);
    this.#forgetBeyondLimits();
  }

  get revision(): Revision {
    return this.#revision;
  }

  /** A list at, or a watch after, an older revision is "expired". */
  get oldest(): Revision {
    return this.#oldest;
  }

  get eventCount(): number {
    return this.#events.length - this.#head;
  }

  /** What the remembered events keep in memory, about. */
  get eventBytes(): number {
    return this.#bytes;
  }

  get(key: string): StoredValue | undefined {
    return this.#state.get(key);
  }

  count(prefix: string): number {
    return this.#state.count({ prefix });
  }

  list(range: KeyRange, at: Revision = this.#revision): ListResult {
    if (at > this.#revision)
      throw new RangeError(`revision ${at} is yet to come: the store is at ${this.#revision}`);
    if (at < this.#oldestOf(range.prefix) && at !== this.#revision) return { outcome: "expired" };
    const values: StoredValue[] = [];
    this.#stateAt(at).scan(range, (value) => {
      values.push(value);
      return values.length <= range.limit;
    });
    const hasMore = values.length > range.limit;
    if (hasMore) values.pop();
    return { outcome: "listed", values, revision: at, hasMore };
  }

  /** Makes `events`, whose revisions follow on, visible to lists and watches together. */
  apply(events: readonly StoreEvent[]): void {
    for (const event of events) {
      assert(event.revision > this.#revision, "revisions only grow");
      this.#revision = event.revision;
      const { key } = event.current;
      this.#state =
        event.type === "put" ? this.#state.set(key, event.current) : this.#state.delete(key);
      this.#remember(event);
    }
    this.#forgetBeyondLimits();
    for (const wake of [...this.#waiting]) wake();
  }

  forget(upTo: Revision): void {
    const limit = Math.min(upTo, this.#revision);
    while (this.#head < this.#events.length && this.#eventAt(this.#head).event.revision <= limit)
      this.#forgetOldest();
    this.#oldest = Math.max(this.#oldest, limit);
    this.#cut();
  }

  /** Reads on at its own pace; one that is overtaken by `forget` is told that it has expired. */
  async *watch(prefix: string, after: Revision, signal: AbortSignal): AsyncGenerator<WatchItem> {
    let seen = after;
    while (!signal.aborted) {
      const oldest = this.#oldestOf(prefix);
      if (seen < oldest) {
        yield { type: "expired", oldest };
        return;
      }
      if (seen < this.#revision) {
        const events = this.#eventsAfter(seen, prefix);
        seen = this.#revision;
        yield { type: "events", events, upTo: seen };
      } else {
        await this.#change(signal);
      }
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake);
      if (signal.aborted) wake();
    });
  }

  #oldestOf(prefix: string): Revision {
    let oldest = this.#oldest;
    for (const [segment, revision] of this.#segmentOldest) {
      if (segment.startsWith(prefix) || prefix.startsWith(segment))
        oldest = Math.max(oldest, revision);
    }
    return oldest;
  }

  #eventAt(index: number): Remembered {
    return this.#events[index] as Remembered;
  }

  #eventsAfter(after: Revision, prefix: string): StoreEvent[] {
    const found: StoreEvent[] = [];
    for (let index = this.#indexAfter(after); index < this.#events.length; index++) {
      const { event } = this.#eventAt(index);
      if (event.current.key.startsWith(prefix)) found.push(event);
    }
    return found;
  }

  #indexAfter(after: Revision): number {
    let low = this.#head;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#eventAt(middle).event.revision <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The present with every later event undone. */
  #stateAt(revision: Revision): OrderedMap<StoredValue> {
    let state = this.#state;
    const first = this.#indexAfter(revision);
    for (let index = this.#events.length - 1; index >= first; index--) {
      const { current, previous } = this.#eventAt(index).event;
      state = previous === undefined ? state.delete(current.key) : state.set(current.key, previous);
    }
    return state;
  }

  #remember(event: StoreEvent): void {
    this.#events.push({ event, at: this.#clock.monotonic() });
    this.#bytes += bytesOf(event);
  }

  #forgetBeyondLimits(): void {
    const { eventsMax, bytesMax, ageMaxMs } = this.#limits;
    const tooOld = this.#clock.monotonic() - ageMaxMs;
    while (this.#head < this.#events.length) {
      const count = this.#events.length - this.#head;
      const aged = this.#eventAt(this.#head).at < tooOld;
      if (count <= eventsMax && this.#bytes <= bytesMax && !aged) break;
      this.#oldest = this.#eventAt(this.#head).event.revision;
      this.#forgetOldest();
    }
    this.#cut();
  }

  #forgetOldest(): void {
    this.#bytes -= bytesOf(this.#eventAt(this.#head).event);
    this.#head++;
  }

  #cut(): void {
    if (this.#head === 0 || this.#head * 2 < this.#events.length) return;
    this.#events = this.#events.slice(this.#head);
    this.#head = 0;
  }
}

/** What remembering an event keeps alive: mostly the value it replaced. */
function bytesOf(event: StoreEvent): number {
  return 200 + (event.previous?.value.byteLength ?? 0);
}
