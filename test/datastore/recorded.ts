import type { Revision } from "../../pkg/datastore/datastore.ts";

/** A moment of the run: only its order to other moments means anything. */
export type Moment = number;

/** A key as somebody saw it. */
export interface SeenState {
  readonly key: string;
  readonly revision: Revision;
  /** Where the observer can tell. */
  readonly createRevision?: Revision;
  readonly value: string;
}

export interface SeenEvent {
  readonly type: "added" | "modified" | "deleted";
  /** For a delete: the last value, at the delete's own revision. */
  readonly current: SeenState;
  /** Where the observer can tell; undefined for "added". */
  readonly previous?: SeenState | undefined;
}

export interface RecordedWrite {
  readonly what: "write";
  readonly did: "create" | "update" | "delete";
  readonly key: string;
  /** What the key was expected at, of an update or a delete; where undefined, nothing was asked. */
  readonly expected?: Revision | undefined;
  readonly value: string;
  readonly began: Moment;
  ended: Moment;
  /** "refused": told to have failed. "unknown": the process died before it said. */
  outcome:
    | { readonly written: SeenState }
    | { readonly conflict: SeenState | undefined }
    | "refused"
    | "unknown";
}

export type ReadMode =
  | { readonly type: "consistent" }
  | { readonly type: "any" }
  | { readonly type: "not older"; readonly than: Revision }
  | { readonly type: "exact"; readonly at: Revision };

/** Of all pages together, where it had several. */
export interface RecordedRead {
  readonly what: "read";
  /** Whom it was asked of: what one view has shown, another may not show yet. */
  readonly view: string;
  readonly prefix: string;
  readonly mode: ReadMode;
  readonly began: Moment;
  readonly ended: Moment;
  readonly outcome:
    | { readonly revision: Revision; readonly states: readonly SeenState[] }
    | "expired";
}

export type WatchStep = { readonly at: Moment } & (
  | { readonly type: "events"; readonly events: readonly SeenEvent[]; readonly upTo: Revision }
  | { readonly type: "expired"; readonly oldest: Revision }
);

export interface RecordedWatch {
  readonly what: "watch";
  readonly view: string;
  readonly prefix: string;
  readonly after: Revision;
  /** Only these are told of: a value that comes to be one is "added", one that ceases to be is "deleted". */
  readonly selects?: ((value: string) => boolean) | undefined;
  readonly steps: WatchStep[];
}

/** What there was once the store was opened again. Of keys under `lossy` prefixes, later writes may be lost. */
export interface RecordedOpening {
  readonly what: "opening";
  readonly after: "crash" | "close";
  readonly at: Moment;
  readonly revision: Revision;
  readonly states: readonly SeenState[];
}

export type Recorded = RecordedWrite | RecordedRead | RecordedWatch | RecordedOpening;
