import { ApiError } from "../../api/api-error.ts";
import type { KubernetesObject } from "../../api/object.ts";
import { aborted, isAbortOf } from "../../base/abort.ts";
import { assert } from "../../base/assert.ts";
import { deepFreeze } from "../../base/deep-freeze.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { OrderedMap } from "../../base/ordered-map.ts";
import type { Service } from "../../base/service.ts";
import {
  type Datastore,
  DatastoreError,
  type Durability,
  type Revision,
  type StoredValue,
  type StoreEvent,
  type WriteResult,
} from "../../datastore/datastore.ts";
import type { Hub, HubListResult, HubRange, HubWatcher, HubWriteResult } from "./hub.ts";
import { HubObject } from "./hub-object.ts";
import {
  covers,
  defaultWindowLimits,
  HubResource,
  type HubWindowLimits,
  type ResourceEvent,
  resourceOf,
} from "./hub-resource.ts";
import { HubWatches } from "./hub-watches.ts";
import { toStored } from "./stored-json.ts";
import { WarmValues } from "./warm-values.ts";

export interface HubOptions {
  /** Whoever opened it closes it, after the hub. */
  readonly datastore: Datastore;
  readonly logger?: Logger;
  readonly window?: Partial<HubWindowLimits>;
}

/**
 * A hub with its life: `run` rejects when the feed from the datastore broke. It goes on reading and writing for those
 * who are still to finish; disposing stops it.
 */
export type OpenHub = Hub & Service & AsyncDisposable;

/** Resolves once everything in the datastore is in memory and its watch is followed. */
export async function openHub(options: HubOptions): Promise<OpenHub> {
  const hub = new HubStore(options);
  await hub.start();
  return hub;
}

/** How many values are asked of the datastore at once while the hub is filled. */
const loadPageValues = 1_000;

/** Of the objects whose parsed values are held, however many there are; what a controller follows it holds itself. */
const warmBytesMax = 16 * 1024 * 1024;

/**
 * No object is stored that is larger, whatever defaults and managedFields have made of what was sent: each reader and
 * watcher would be sent it whole. etcd's own limit, for what Kubernetes stores more tersely, is half of it.
 */
const objectBytesMax = 3 * 1024 * 1024;

function tooLarge(bytes: number): ApiError {
  return new ApiError(
    "RequestEntityTooLarge",
    `Request entity too large: the object would be stored as ${bytes} bytes, limit is ${objectBytesMax}`,
  );
}

class HubStore implements OpenHub {
  readonly name = "hub";
  readonly #datastore: Datastore;
  readonly #logger: Logger;
  readonly #limits: HubWindowLimits;
  readonly #watches: HubWatches;
  readonly #warm = new WarmValues(warmBytesMax);
  readonly #closing = new AbortController();
  /** What was written from here, by the very buffer that comes back in the event: spares parsing it. */
  readonly #written = new WeakMap<Uint8Array, KubernetesObject>();
  /** The versions those writes became, until the writer has picked them up. */
  readonly #arrived = new WeakMap<Uint8Array, HubObject>();
  /** Who waits for a revision to be visible. */
  readonly #waiting = new Set<{ readonly revision: Revision; readonly resolve: () => void }>();
  #resources = new Map<string, HubResource>();
  #revision: Revision = 0;
  #lastList:
    | {
        readonly of: OrderedMap<HubObject>;
        readonly prefix: string;
        readonly page: ReturnType<typeof page>;
      }
    | undefined;
  /** Where the history of resources begins that nothing was known of when the hub was filled. */
  #loadedAt: Revision = 0;
  #feed: Promise<void> = Promise.resolve();
  #broken: DatastoreError | undefined;

  constructor({ datastore, logger = silentLogger, window }: HubOptions) {
    this.#datastore = datastore;
    this.#logger = logger;
    this.#limits = { ...defaultWindowLimits, ...window };
    this.#watches = new HubWatches(logger);
  }

  async start(): Promise<void> {
    await this.#load();
    this.#feed = this.#follow();
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.race([aborted(signal), this.#feed]);
    if (this.#broken !== undefined) throw this.#broken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#feed;
  }

  get revision(): Revision {
    return this.#revision;
  }

  get oldestRevision(): Revision {
    let oldest = this.#loadedAt;
    for (const resource of this.#resources.values()) oldest = Math.min(oldest, resource.oldest);
    return oldest;
  }

  get(key: string): HubObject | undefined {
    return this.#resources.get(resourceOf(key))?.get(key);
  }

  list(range: HubRange, at?: Revision): HubListResult {
    if (at !== undefined && at > this.#revision)
      throw new RangeError(`revision ${at} is yet to come: the hub is at ${this.#revision}`);
    const revision = at ?? this.#revision;
    const name = resourceOf(range.prefix);
    assert(name !== "", "a list is of one resource");
    const resource = this.#resources.get(name);
    if (resource === undefined && revision < this.#loadedAt) return { outcome: "expired" };
    const objects = resource === undefined ? OrderedMap.empty<HubObject>() : resource.objectsAt(at);
    if (objects === undefined) return { outcome: "expired" };
    return { outcome: "listed", revision, ...this.#pageOf(objects, range) };
  }

  count(prefix: string): number {
    const resource = this.#resources.get(resourceOf(prefix));
    return resource?.objectsAt(undefined)?.count({ prefix }) ?? 0;
  }

  /** Whole lists of one state are the same for all who ask: many may ask at once. */
  #pageOf(objects: OrderedMap<HubObject>, range: HubRange): ReturnType<typeof page> {
    if (range.limit !== undefined || range.startAfter !== undefined) return page(objects, range);
    const { prefix } = range;
    if (this.#lastList?.of !== objects || this.#lastList.prefix !== prefix) {
      this.#lastList = { of: objects, prefix, page: page(objects, range) };
    }
    return this.#lastList.page;
  }

  snapshot(prefix: string): { revision: Revision; objects: Iterable<HubObject> } {
    const revision = this.#revision;
    const objects = this.#resources.get(resourceOf(prefix))?.objectsAt(undefined);
    return { revision, objects: objects === undefined ? [] : scanned(objects, prefix) };
  }

  stats(resourcePrefix: string): { readonly count: number; readonly bytes: number } {
    return this.#resources.get(resourcePrefix)?.stats ?? { count: 0, bytes: 0 };
  }

  watcherCount(prefix: string): number {
    return this.#watches.count(prefix);
  }

  async caughtUp(revision: Revision, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#broken !== undefined) throw this.#broken;
    if (revision <= this.#revision) return;
    await new Promise<void>((resolve, reject) => {
      const waiter = {
        revision,
        resolve: () => {
          signal.removeEventListener("abort", giveUp);
          resolve();
        },
      };
      const giveUp = () => {
        this.#waiting.delete(waiter);
        reject(signal.reason);
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(waiter);
    });
    if (this.#broken !== undefined) throw this.#broken;
  }

  create<T extends KubernetesObject>(
    key: string,
    object: T,
    durability: Durability,
  ): Promise<HubWriteResult<T>> {
    return this.#write(object, (value) => this.#datastore.create(key, value, { durability }));
  }

  update<T extends KubernetesObject>(
    key: string,
    object: T,
    expected: Revision,
    durability: Durability,
  ): Promise<HubWriteResult<T>> {
    return this.#write(object, (value) =>
      this.#datastore.update(key, value, expected, { durability }),
    );
  }

  async delete(key: string, expected: Revision, durability: Durability): Promise<HubWriteResult> {
    this.#assertFed();
    return this.#seen(await this.#datastore.delete(key, expected, { durability }));
  }

  watch(prefix: string, after: Revision, watcher: HubWatcher): () => void {
    const missed = this.#eventsAfter(prefix, after);
    if (missed === "expired") {
      watcher.onExpired();
      return () => {};
    }
    const stop = this.#watches.add(prefix, Math.max(after, this.#revision), watcher);
    if (missed.length > 0) watcher.onEvents(missed, this.#revision);
    return stop;
  }

  async #write<T extends KubernetesObject>(
    object: T,
    write: (value: Uint8Array) => Promise<WriteResult>,
  ): Promise<HubWriteResult<T>> {
    this.#assertFed();
    const value = toStored(object);
    if (value.byteLength > objectBytesMax) throw tooLarge(value.byteLength);
    this.#written.set(value, deepFreeze(object));
    const result = await this.#seen(await write(value));
    // What is stored under the key is of the kind that was written there.
    return result as HubWriteResult<T>;
  }

  /** The result as this hub's readers see it: once they can. */
  async #seen(result: WriteResult): Promise<HubWriteResult> {
    const stored = result.outcome === "written" ? result.stored : result.current;
    if (stored !== undefined && stored.revision > this.#revision)
      await this.caughtUp(stored.revision, this.#closing.signal);
    if (result.outcome === "written")
      return { outcome: "written", stored: this.#versionOf(result.stored) };
    const { current } = result;
    return {
      outcome: "conflict",
      current: current === undefined ? undefined : this.#versionOf(current),
    };
  }

  #versionOf(stored: StoredValue): HubObject {
    const arrived = this.#arrived.get(stored.value);
    this.#arrived.delete(stored.value);
    this.#written.delete(stored.value);
    if (arrived?.revision === stored.revision) return arrived;
    const present = this.get(stored.key);
    return present?.revision === stored.revision ? present : new HubObject(stored, this.#warm);
  }

  #assertFed(): void {
    if (this.#broken !== undefined) throw this.#broken;
    if (this.#closing.signal.aborted)
      throw new DatastoreError("closed", "the server is stopping: try again once it is back");
  }

  #eventsAfter(prefix: string, after: Revision): ResourceEvent[] | "expired" {
    if (prefix !== "") {
      const resource = this.#resources.get(resourceOf(prefix));
      if (after < (resource?.oldest ?? this.#loadedAt)) return "expired";
      return resource?.eventsAfter(after, { prefix }) ?? [];
    }
    if (after < this.#loadedAt) return "expired";
    const events: ResourceEvent[] = [];
    for (const resource of this.#resources.values()) {
      if (after < resource.oldest) return "expired";
      events.push(...resource.eventsAfter(after, { prefix }));
    }
    return events.sort((one, other) => one.revision - other.revision);
  }

  /**
   * Fills the hub with the present, and with as much of each resource's past as the datastore can tell. Readers see
   * the old state until all of the new one is there: to a controller, what is not there was deleted.
   */
  async #load(): Promise<void> {
    const { values, revision } = await this.#loadValues();
    const objects = new Map<string, OrderedMap<HubObject>>();
    for (const stored of values) {
      const name = resourceOf(stored.key);
      const before = objects.get(name) ?? OrderedMap.empty<HubObject>();
      objects.set(name, before.set(stored.key, new HubObject(stored, this.#warm)));
    }
    const resources = new Map<string, HubResource>();
    for (const [name, present] of objects) {
      const { oldest, events } = await this.#loadPast(name, revision);
      const past = this.#pastEvents(events, present);
      resources.set(name, new HubResource(this.#limits, oldest, present, past));
    }
    this.#resources = resources;
    this.#loadedAt = revision;
    this.#revision = revision;
    this.#wake();
  }

  async #loadValues(): Promise<{ values: StoredValue[]; revision: Revision }> {
    const values: StoredValue[] = [];
    let revision: Revision | undefined;
    for (;;) {
      const last = values.at(-1);
      const result = await this.#datastore.list(
        {
          prefix: "",
          limit: loadPageValues,
          ...(last === undefined ? {} : { startAfter: last.key }),
        },
        revision,
      );
      if (result.outcome === "expired") {
        // Compacted between two pages: begin again.
        values.length = 0;
        revision = undefined;
        continue;
      }
      values.push(...result.values);
      revision = result.revision;
      if (!result.hasMore) return { values, revision };
    }
  }

  /** The events of one resource up to `upTo`, from as far back as there are any. */
  async #loadPast(
    prefix: string,
    upTo: Revision,
  ): Promise<{ oldest: Revision; events: StoreEvent[] }> {
    let oldest = 0;
    const events: StoreEvent[] = [];
    while (oldest < upTo) {
      const enough = new AbortController();
      let again = false;
      for await (const item of this.#datastore.watch(prefix, oldest, enough.signal)) {
        if (item.type === "expired") {
          oldest = item.oldest;
          events.length = 0;
          again = true;
          break;
        }
        events.push(...item.events.filter(({ revision }) => revision <= upTo));
        if (item.upTo >= upTo) break;
      }
      enough.abort();
      if (!again) return { oldest, events };
    }
    return { oldest: upTo, events: [] };
  }

  /** The past told in the versions that the present holds, where they are the same. */
  #pastEvents(
    events: readonly StoreEvent[],
    present: OrderedMap<HubObject>,
  ): readonly ResourceEvent[] {
    const latest = new Map<string, HubObject>();
    return events.map((event) => {
      const { key, revision } = event.current;
      const previous =
        event.previous === undefined
          ? undefined
          : (latest.get(key) ?? new HubObject(event.previous, this.#warm));
      const held = present.get(key);
      const current = held?.revision === revision ? held : new HubObject(event.current, this.#warm);
      latest.set(key, current);
      return resourceEvent(event, current, previous);
    });
  }

  /** Applies what the datastore tells, until the hub is closed or the datastore fails. */
  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    try {
      while (!signal.aborted) {
        let expired = false;
        for await (const item of this.#datastore.watch("", this.#revision, signal)) {
          if (item.type === "events") this.#apply(item.events, item.upTo);
          else expired = true;
        }
        if (signal.aborted) return;
        if (!expired) throw new DatastoreError("closed", "the datastore was closed under the hub");
        this.#logger.warn("the hub fell behind the datastore's history and reads everything anew");
        await this.#load();
        this.#watches.expireAll();
      }
    } catch (error) {
      if (isAbortOf(signal, error)) return;
      this.#breakOff(error);
    }
  }

  #breakOff(error: unknown): void {
    this.#broken =
      error instanceof DatastoreError
        ? error
        : new DatastoreError("io", "the datastore's watch failed: restart the server", {
            cause: error,
          });
    this.#logger.error("the hub lost its datastore", { error });
    this.#watches.expireAll();
    for (const waiter of this.#waiting) waiter.resolve();
    this.#waiting.clear();
  }

  #apply(events: readonly StoreEvent[], upTo: Revision): void {
    const told = events.map((event) => this.#applyOne(event));
    this.#revision = upTo;
    this.#watches.tell(told, upTo);
    this.#wake();
  }

  #applyOne(event: StoreEvent): ResourceEvent {
    const { key, value } = event.current;
    const resource = this.#resourceFor(key);
    const previous = event.previous === undefined ? undefined : resource.get(key);
    const current =
      event.type === "delete" && previous !== undefined
        ? previous.asDeleted(event.revision)
        : new HubObject(event.current, this.#warm, this.#written.get(value));
    if (event.type === "delete" || this.#written.has(value)) this.#arrived.set(value, current);
    const applied = resourceEvent(event, current, previous);
    resource.apply(applied);
    return applied;
  }

  #resourceFor(key: string): HubResource {
    const name = resourceOf(key);
    let resource = this.#resources.get(name);
    if (resource === undefined) {
      resource = new HubResource(this.#limits, this.#loadedAt);
      this.#resources.set(name, resource);
    }
    return resource;
  }

  #wake(): void {
    for (const waiter of this.#waiting) {
      if (waiter.revision > this.#revision) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }
}

function resourceEvent(
  { type, revision }: StoreEvent,
  current: HubObject,
  previous: HubObject | undefined,
): ResourceEvent {
  if (type === "delete") return { type: "deleted", revision, current, previous };
  return { type: previous === undefined ? "added" : "modified", revision, current, previous };
}

/** How many objects are looked up at once. */
const scannedAtOnce = 64;

function* scanned(objects: OrderedMap<HubObject>, prefix: string): Generator<HubObject> {
  if (!prefix.endsWith("/")) {
    yield* page(objects, { prefix }).objects;
    return;
  }
  let startAfter: string | undefined;
  for (;;) {
    const found: HubObject[] = [];
    objects.scan({ prefix, startAfter }, (object) => {
      found.push(object);
      return found.length < scannedAtOnce;
    });
    yield* found;
    if (found.length < scannedAtOnce) return;
    startAfter = found.at(-1)?.key;
  }
}

function page(
  objects: OrderedMap<HubObject>,
  { prefix, startAfter, limit }: HubRange,
): { objects: HubObject[]; hasMore: boolean; remaining: number } {
  const range = { prefix, startAfter };
  const max = limit ?? Number.POSITIVE_INFINITY;
  const found: HubObject[] = [];
  if (!prefix.endsWith("/")) {
    const object = objects.get(prefix);
    if (object !== undefined && covers(prefix, object.key)) found.push(object);
    return { objects: found, hasMore: false, remaining: 0 };
  }
  objects.scan(range, (object) => {
    if (found.length >= max) return false;
    found.push(object);
    return true;
  });
  const remaining = found.length < max ? 0 : objects.count(range) - found.length;
  return { objects: found, hasMore: remaining > 0, remaining };
}
