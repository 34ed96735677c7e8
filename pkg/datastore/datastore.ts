import { MendableError } from "../base/mendable-error.ts";

/**
 * A point in the store's single history. Grows with each write, never repeats, never goes back, not even
 * over a crash. A plain number is exact to 2^53: 285 years at a million writes a second.
 */
export type Revision = number;

export interface StoredValue {
  readonly key: string;
  /** Never changed after it was handed over, by either side: the same buffer is shared. */
  readonly value: Uint8Array;
  readonly createRevision: Revision;
  readonly revision: Revision;
}

/**
 * When a write is on the disk.
 * - "durable": before it is acknowledged.
 * - "lazy": acknowledged at once, on the disk some time later in a slow group, or at close. A crash may lose it.
 * - "at-close": acknowledged at once, on the disk only when the store is closed in good order.
 * A store that other servers share (etcd, PostgreSQL) makes all of them durable.
 *
 * Lazy and at-close writes keep no history on the disk: once a first segment of keys (up to the first "/") has had
 * one, lists and watches of it that reach back before the latest opening of the store are "expired".
 */
export type Durability = "durable" | "lazy" | "at-close";

export interface WriteOptions {
  /** Default: "durable". */
  readonly durability?: Durability;
}

export type WriteResult =
  | { readonly outcome: "written"; readonly stored: StoredValue }
  | { readonly outcome: "conflict"; readonly current: StoredValue | undefined };

/** "expired" means the asked-for past was compacted away: start again from the present. */
export type ListResult =
  | {
      readonly outcome: "listed";
      readonly values: readonly StoredValue[];
      readonly revision: Revision;
      readonly hasMore: boolean;
    }
  | { readonly outcome: "expired" };

export interface StoreEvent {
  readonly type: "put" | "delete";
  readonly revision: Revision;
  /** For a delete: the last value, at the delete's own revision. */
  readonly current: StoredValue;
  readonly previous: StoredValue | undefined;
}

/**
 * "events" may be empty: then it only tells how far the watch has come. "expired" is the last item; a watch
 * of the same prefix after `oldest`, or later, would not have been.
 */
export type WatchItem =
  | { readonly type: "events"; readonly events: readonly StoreEvent[]; readonly upTo: Revision }
  | { readonly type: "expired"; readonly oldest: Revision };

export interface KeyRange {
  readonly prefix: string;
  /** Keys after this one only. */
  readonly startAfter?: string;
  readonly limit: number;
}

/**
 * One ordered history of keys and bytes; knows no kinds.
 *
 * A write is acknowledged, listed and watched only after it is as durable as was asked. Two writes to one key
 * that expect the same revision: exactly one is written. A watch after revision R yields each event with a
 * greater revision under its prefix once, in order; a revision is never split over two items.
 * A write that fails for an outside reason (disk full, I/O) rejects with a `DatastoreError`.
 */
export interface Datastore extends AsyncDisposable {
  currentRevision(): Promise<Revision>;
  get(key: string): Promise<StoredValue | undefined>;
  /**
   * In the order of the keys' UTF-16 code units; `at` asks for the state at that revision, and rejects with a
   * RangeError where that is yet to come.
   */
  list(range: KeyRange, at?: Revision): Promise<ListResult>;
  count(prefix: string): Promise<number>;
  /** Conflict: the key exists. */
  create(key: string, value: Uint8Array, options?: WriteOptions): Promise<WriteResult>;
  /** Conflict: the key is gone, or at another revision than `expected`. */
  update(
    key: string,
    value: Uint8Array,
    expected: Revision,
    options?: WriteOptions,
  ): Promise<WriteResult>;
  /** As `update`. `stored` of a written delete is the last value, at the delete's own revision. */
  delete(key: string, expected: Revision, options?: WriteOptions): Promise<WriteResult>;
  /** Ends when `signal` aborts, without throwing. Throws a `DatastoreError` once nothing can be written any more. */
  watch(prefix: string, after: Revision, signal: AbortSignal): AsyncIterable<WatchItem>;
  /** Forgets history up to and including `before`: a list at, or a watch after, an older one is "expired". */
  compact(before: Revision): Promise<void>;
}

/** Why the store could not do its work: an outside cause, told in a sentence with its remedy. */
export class DatastoreError extends MendableError {
  readonly reason: "full" | "read-only" | "io" | "corrupt" | "closed" | "newer-schema";

  constructor(reason: DatastoreError["reason"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DatastoreError";
    this.reason = reason;
  }
}
