import { type Clock, systemClock } from "../../base/clock.ts";
import {
  type Datastore,
  DatastoreError,
  type KeyRange,
  type ListResult,
  type Revision,
  type StoredValue,
  type WatchItem,
  type WriteResult,
} from "../datastore.ts";
import { History, type HistoryLimits } from "../history.ts";

export interface MemoryDatastoreOptions {
  readonly clock?: Clock;
  readonly history?: Partial<HistoryLimits>;
}

/** A datastore that forgets everything when it is closed: the semantics of `Datastore` in plain code. */
export function openMemoryDatastore(options: MemoryDatastoreOptions = {}): Datastore {
  return new MemoryDatastore(options);
}

class MemoryDatastore implements Datastore {
  readonly #history: History;
  readonly #closing = new AbortController();

  constructor({ clock = systemClock, history }: MemoryDatastoreOptions) {
    this.#history = new History({ clock, limits: history });
  }

  currentRevision(): Promise<Revision> {
    return this.#answer((history) => history.revision);
  }

  get(key: string): Promise<StoredValue | undefined> {
    return this.#answer((history) => history.get(key));
  }

  list(range: KeyRange, at?: Revision): Promise<ListResult> {
    return this.#answer((history) => history.list(range, at));
  }

  count(prefix: string): Promise<number> {
    return this.#answer((history) => history.count(prefix));
  }

  create(key: string, value: Uint8Array): Promise<WriteResult> {
    return this.#answer((history) => {
      const current = history.get(key);
      if (current !== undefined) return { outcome: "conflict", current };
      const revision = history.revision + 1;
      const stored = { key, value, createRevision: revision, revision };
      history.apply([{ type: "put", revision, current: stored, previous: undefined }]);
      return { outcome: "written", stored };
    });
  }

  update(key: string, value: Uint8Array, expected: Revision): Promise<WriteResult> {
    return this.#answer((history) => {
      const previous = history.get(key);
      if (previous?.revision !== expected) return { outcome: "conflict", current: previous };
      const revision = history.revision + 1;
      const stored = { ...previous, value, revision };
      history.apply([{ type: "put", revision, current: stored, previous }]);
      return { outcome: "written", stored };
    });
  }

  delete(key: string, expected: Revision): Promise<WriteResult> {
    return this.#answer((history) => {
      const previous = history.get(key);
      if (previous?.revision !== expected) return { outcome: "conflict", current: previous };
      const revision = history.revision + 1;
      const stored = { ...previous, revision };
      history.apply([{ type: "delete", revision, current: stored, previous }]);
      return { outcome: "written", stored };
    });
  }

  watch(prefix: string, after: Revision, signal: AbortSignal): AsyncIterable<WatchItem> {
    const ending = AbortSignal.any([signal, this.#closing.signal]);
    return this.#open().watch(prefix, after, ending);
  }

  compact(before: Revision): Promise<void> {
    return this.#answer((history) => history.forget(before));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    return Promise.resolve();
  }

  /** What is thrown on the way rejects the promise. */
  #answer<T>(question: (history: History) => T): Promise<T> {
    return new Promise((resolve) => resolve(question(this.#open())));
  }

  #open(): History {
    if (this.#closing.signal.aborted)
      throw new DatastoreError("closed", "the datastore is closed: open it again");
    return this.#history;
  }
}
