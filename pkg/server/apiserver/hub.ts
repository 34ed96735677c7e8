import type { KubernetesObject } from "../../api/object.ts";
import type { Durability, Revision } from "../../datastore/datastore.ts";

/** One version of one object: its bytes and its value, both made at most once, neither ever changed. */
export interface StoredObject<T extends KubernetesObject = KubernetesObject> {
  /** The storage key, as `storageKey` makes it. */
  readonly key: string;
  readonly revision: Revision;
  readonly createRevision: Revision;
  /** JSON as it is served, `metadata.resourceVersion` included. */
  readonly json: Uint8Array;
  /** Deeply frozen; parsed on first use. */
  readonly value: T;
  /** Another form of this version (a watch frame, protobuf, …), made on first use and kept with it. */
  encoded(form: string, make: (object: StoredObject<T>) => Uint8Array): Uint8Array;
}

export interface HubEvent<T extends KubernetesObject = KubernetesObject> {
  readonly type: "added" | "modified" | "deleted";
  readonly revision: Revision;
  /** For a delete: the last state, at the delete's own revision. */
  readonly current: StoredObject<T>;
  /** Undefined for "added". */
  readonly previous: StoredObject<T> | undefined;
}

export interface HubRange {
  /** `pods/` or `pods/default/`, or the whole key of one object, which is then the only one: see `storageKey`. */
  readonly prefix: string;
  readonly startAfter?: string;
  readonly limit?: number;
}

export type HubListResult =
  | {
      readonly outcome: "listed";
      readonly objects: readonly StoredObject[];
      readonly revision: Revision;
      readonly hasMore: boolean;
      /** How many follow the last one, where `hasMore`. */
      readonly remaining: number;
    }
  | { readonly outcome: "expired" };

export type HubWriteResult<T extends KubernetesObject = KubernetesObject> =
  | { readonly outcome: "written"; readonly stored: StoredObject<T> }
  | { readonly outcome: "conflict"; readonly current: StoredObject<T> | undefined };

export interface HubWatcher {
  /**
   * Called with the events of one or more whole revisions, in order. Must not throw and must not wait. Between two
   * calls, the watcher has been told of everything up to the hub's `revision`.
   */
  onEvents(events: readonly HubEvent[], upTo: Revision): void;
  /** The history this watch would need is gone: it has ended. */
  onExpired(): void;
}

/**
 * Every object once: the current state of every key in memory, one revision counter, every watch served from
 * here. Reads never touch the disk. A write resolves after its commit, and after every reader and watcher in
 * this process can see it.
 */
export interface Hub {
  /** The latest revision that readers see. */
  readonly revision: Revision;
  /** No list or watch may ask for an older revision; how far back one may go differs from resource to resource. */
  readonly oldestRevision: Revision;
  get(key: string): StoredObject | undefined;
  /** `at`: exactly the state at that revision. Throws a RangeError where it is yet to come: see `caughtUp`. */
  list(range: HubRange, at?: Revision): HubListResult;
  count(prefix: string): number;
  /** What there is now under `prefix`, in order; looked up as it is read, and the same whatever is written meanwhile. */
  snapshot(prefix: string): {
    readonly revision: Revision;
    readonly objects: Iterable<StoredObject>;
  };
  /** How many objects of a resource there are, in all namespaces, and how long they are together. */
  stats(resourcePrefix: string): { readonly count: number; readonly bytes: number };
  /** How many watch under exactly this prefix. */
  watcherCount(prefix: string): number;
  /** Resolves once `revision` is visible here. */
  caughtUp(revision: Revision, signal: AbortSignal): Promise<void>;
  /** `object` has no resourceVersion; it is frozen and kept. */
  create<T extends KubernetesObject>(
    key: string,
    object: T,
    durability: Durability,
  ): Promise<HubWriteResult<T>>;
  update<T extends KubernetesObject>(
    key: string,
    object: T,
    expected: Revision,
    durability: Durability,
  ): Promise<HubWriteResult<T>>;
  delete(key: string, expected: Revision, durability: Durability): Promise<HubWriteResult>;
  /**
   * Tells `watcher` of every event after `after` under `prefix`: first, before returning, of those that have been;
   * then of each as it comes. Returns the way to stop.
   */
  watch(prefix: string, after: Revision, watcher: HubWatcher): () => void;
}

/** What a storage key is made of: an object lies under the name of the version that it is stored as. */
export interface StoragePlace {
  readonly group: string;
  readonly plural: string;
  readonly storedAs?: { readonly group: string; readonly plural: string } | undefined;
}

/** Where an object is stored: `configmaps/default/name`, `deployments.apps/default/name`, `nodes/name`. */
export function storageKey(
  resource: StoragePlace,
  namespace: string | undefined,
  name: string,
): string {
  return `${storagePrefix(resource, namespace)}${name}`;
}

/** The prefix of all objects of a resource, or of those in one namespace. */
export function storagePrefix(resource: StoragePlace, namespace?: string): string {
  const { group, plural } = resource.storedAs ?? resource;
  const kind = group === "" ? plural : `${plural}.${group}`;
  return namespace === undefined || namespace === "" ? `${kind}/` : `${kind}/${namespace}/`;
}
