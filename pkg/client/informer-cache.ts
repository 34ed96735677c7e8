import { type KubernetesObject, keyOf, type ObjectKey } from "../api/object.ts";
import type { InformerEvent, Lister } from "./informer.ts";

/** More are cheaper to merge in one pass. */
const insertedOneByOneMax = 8;

/**
 * The objects an informer holds, its subscribers, and how far it has come. Whoever feeds it (a watch over the
 * wire, or the server's own hub) calls `replace`, `set`, `remove` and `reached`; a lister's reader sees a change
 * before its subscribers are told of it.
 */
export class InformerCache<T extends KubernetesObject> implements Lister<T> {
  readonly #objects = new Map<ObjectKey, T>();
  /** The keys of `#objects`, sorted; those in `#unsorted` are not yet among them. */
  #keys: ObjectKey[] = [];
  /** To put each new key in its place moves all that follow, which nobody asks for between two lists. */
  #unsorted = new Set<ObjectKey>();
  readonly #owned = new Map<string, Map<ObjectKey, T>>();
  readonly #handlers = new Set<(event: InformerEvent<T>) => void>();
  #all: readonly T[] | undefined;
  #synced = false;
  #revision = 0;
  readonly #waiting = new Set<{ readonly revision: number; resolve(): void }>();

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(key);
  }

  list(namespace?: string): readonly T[] {
    if (namespace === undefined || namespace === "") {
      this.#all ??= Object.freeze(this.#sortedKeys().map((key) => this.#existing(key)));
      return this.#all;
    }
    const prefix = `${namespace}/`;
    const found: T[] = [];
    const keys = this.#sortedKeys();
    for (let index = positionIn(keys, prefix); index < keys.length; index++) {
      const key = keys[index];
      if (key === undefined || !key.startsWith(prefix)) break;
      found.push(this.#existing(key));
    }
    return found;
  }

  ownedBy(uid: string): readonly T[] {
    const owned = this.#owned.get(uid);
    return owned === undefined ? [] : [...owned.values()];
  }

  subscribe(handler: (event: InformerEvent<T>) => void): () => void {
    for (const object of this.list()) handler({ type: "added", object });
    // Wrapped, so that one function subscribed twice is two subscriptions.
    const subscription = (event: InformerEvent<T>) => handler(event);
    this.#handlers.add(subscription);
    return () => this.#handlers.delete(subscription);
  }

  /** True once the first `replace` is in. */
  get isSynced(): boolean {
    return this.#synced;
  }

  synced(signal: AbortSignal): Promise<void> {
    return this.#wait(0, signal);
  }

  caughtUp(resourceVersion: string, signal: AbortSignal): Promise<void> {
    return this.#wait(Number(resourceVersion), signal);
  }

  /** The whole content as of `resourceVersion`. What is no longer there is told of as deleted, with its last state. */
  replace(objects: readonly T[], resourceVersion: string): void {
    const next = new Set(objects.map(keyOf));
    for (const key of [...this.#sortedKeys()]) if (!next.has(key)) this.remove(key);
    for (const object of objects) {
      const known = this.#objects.get(keyOf(object));
      if (known?.metadata.resourceVersion !== object.metadata.resourceVersion) this.set(object);
    }
    this.#synced = true;
    this.reached(resourceVersion);
  }

  /** An object that is new, or a new version of one. */
  set(object: T): void {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    if (previous !== undefined && previous.metadata.uid !== object.metadata.uid) {
      // Deleted and made again while we were not looking: two things that happened, so two events.
      this.remove(key);
      this.set(object);
      return;
    }
    this.#objects.set(key, object);
    this.#all = undefined;
    if (previous === undefined) this.#unsorted.add(key);
    else this.#disown(previous, key);
    for (const uid of controllersOf(object)) {
      const owned = this.#owned.get(uid);
      if (owned === undefined) this.#owned.set(uid, new Map([[key, object]]));
      else owned.set(key, object);
    }
    this.#tell(
      previous === undefined ? { type: "added", object } : { type: "modified", object, previous },
    );
  }

  /** `last` is the final state, where the feeder knows it. */
  remove(key: ObjectKey, last?: T): void {
    const known = this.#objects.get(key);
    if (known === undefined) return;
    this.#objects.delete(key);
    if (!this.#unsorted.delete(key)) this.#keys.splice(positionIn(this.#keys, key), 1);
    this.#all = undefined;
    this.#disown(known, key);
    this.#tell({ type: "deleted", object: last ?? known });
  }

  /** All up to `resourceVersion` is in. */
  reached(resourceVersion: string): void {
    this.#revision = Math.max(this.#revision, Number(resourceVersion));
    if (!this.#synced) return;
    for (const waiter of this.#waiting) {
      if (waiter.revision > this.#revision) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  #wait(revision: number, signal: AbortSignal): Promise<void> {
    if (this.#synced && revision <= this.#revision) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const waiter = {
        revision,
        resolve: () => {
          signal.removeEventListener("abort", abort);
          resolve();
        },
      };
      const abort = () => {
        this.#waiting.delete(waiter);
        reject(signal.reason);
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  #tell(event: InformerEvent<T>): void {
    for (const handler of this.#handlers) handler(event);
  }

  #existing(key: ObjectKey): T {
    const object = this.#objects.get(key);
    if (object === undefined) throw new Error(`broken invariant: ${key} is listed but not held`);
    return object;
  }

  #sortedKeys(): readonly ObjectKey[] {
    if (this.#unsorted.size > 0) {
      this.#keys = merged(this.#keys, [...this.#unsorted].sort());
      this.#unsorted = new Set();
    }
    return this.#keys;
  }

  #disown(object: T, key: ObjectKey): void {
    for (const uid of controllersOf(object)) {
      const owned = this.#owned.get(uid);
      owned?.delete(key);
      if (owned?.size === 0) this.#owned.delete(uid);
    }
  }
}

/** Where `key` is among sorted keys, or would be. */
function positionIn(keys: readonly ObjectKey[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** All of two sorted lists of keys, sorted; a few into many are put in one by one. */
function merged(many: ObjectKey[], few: readonly ObjectKey[]): ObjectKey[] {
  if (few.length <= insertedOneByOneMax) {
    for (const key of few) many.splice(positionIn(many, key), 0, key);
    return many;
  }
  const all: ObjectKey[] = [];
  let at = 0;
  for (const key of few) {
    for (let next = many[at]; next !== undefined && next < key; next = many[at]) {
      all.push(next);
      at += 1;
    }
    all.push(key);
  }
  for (; at < many.length; at += 1) all.push(many[at] as ObjectKey);
  return all;
}

function controllersOf(object: KubernetesObject): readonly string[] {
  const uids: string[] = [];
  for (const reference of object.metadata.ownerReferences ?? []) {
    if (reference.controller === true) uids.push(reference.uid);
  }
  return uids;
}
