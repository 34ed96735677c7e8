import type { DatastoreError, Revision } from "../datastore.ts";

/** What the thread needs to know to own a file. Plain data: it travels as `workerData`. */
export interface SqliteThreadData {
  readonly file: string;
  /** Path of better-sqlite3's addon, where it does not lie beside the package (in the single executable). */
  readonly nativeBinding?: string | undefined;
  /** The file never grows beyond; what does not fit is refused as "full". */
  readonly fileBytesMax: number;
  /** The write-ahead log is poured into the file at this size, and then begins anew. */
  readonly logPagesMax: number;
  /** How long to wait for another process to let go of the file. */
  readonly lockWaitMs: number;
}

/** A write as the thread sees it. "history" tells whether what it replaces is kept for watches. */
export interface ThreadWrite {
  readonly type: "put" | "delete";
  readonly key: string;
  readonly createRevision: Revision;
  readonly revision: Revision;
  readonly value: Uint8Array | undefined;
  readonly history: boolean;
}

/** Writes as they travel: five fields each in one flat list and all values in one buffer, which is handed over. */
export interface PackedWrites {
  readonly fields: readonly (string | number)[];
  readonly bytes: Uint8Array;
}

export interface CommitRequest {
  readonly type: "commit";
  readonly id: number;
  readonly writes: PackedWrites;
  /** Every revision handed out so far is at or below. On the disk with or before the writes. */
  readonly reserve: Revision;
  /** First segments of keys whose history will not be whole on the disk. */
  readonly volatile: readonly string[];
  /** History up to here may go. */
  readonly forgetUpTo: Revision;
}

export type ThreadRequest =
  | CommitRequest
  /** Makes sure that what was committed is on the disk, and takes writes again. */
  | { readonly type: "recover" }
  /** `revision` is the last one handed out; all writes were sent before. */
  | { readonly type: "close"; readonly revision: Revision };

export interface Failure {
  readonly reason: DatastoreError["reason"];
  readonly message: string;
}

/** A write of a commit, or with index -1 all of them, that is not on the disk. */
export interface WriteFailure extends Failure {
  readonly id: number;
  readonly index: number;
}

export type ThreadReport =
  | { readonly type: "values"; readonly values: PackedWrites }
  /** Undo records in the order of revisions: two rows each, the change and what was there before it. */
  | { readonly type: "past"; readonly rows: PackedWrites }
  | {
      readonly type: "opened";
      readonly revision: Revision;
      readonly oldest: Revision;
      readonly reserved: Revision;
      readonly volatile: readonly string[];
      readonly clean: boolean;
    }
  | { readonly type: "refused"; readonly failure: Failure }
  | {
      readonly type: "settled";
      readonly ids: readonly number[];
      readonly failures: readonly WriteFailure[];
    }
  | { readonly type: "recovered"; readonly failure: Failure | undefined }
  | { readonly type: "closed"; readonly failure: Failure | undefined };

const fieldsPerWrite = 5;
const flagDelete = 1;
const flagHistory = 2;

export function packWrites(writes: readonly ThreadWrite[]): PackedWrites {
  let length = 0;
  for (const { value } of writes) length += value?.byteLength ?? 0;
  const bytes = new Uint8Array(length);
  const fields: (string | number)[] = [];
  let offset = 0;
  for (const { type, key, createRevision, revision, value, history } of writes) {
    const flags = (type === "delete" ? flagDelete : 0) | (history ? flagHistory : 0);
    fields.push(flags, key, createRevision, revision, value?.byteLength ?? -1);
    if (value === undefined) continue;
    bytes.set(value, offset);
    offset += value.byteLength;
  }
  return { fields, bytes };
}

/** The values are views of the one buffer. */
export function unpackWrites({ fields, bytes }: PackedWrites): ThreadWrite[] {
  const writes: ThreadWrite[] = [];
  let offset = 0;
  for (let index = 0; index < fields.length; index += fieldsPerWrite) {
    const flags = Number(fields[index]);
    const length = Number(fields[index + 4]);
    writes.push({
      type: (flags & flagDelete) === 0 ? "put" : "delete",
      key: String(fields[index + 1]),
      createRevision: Number(fields[index + 2]),
      revision: Number(fields[index + 3]),
      value: length < 0 ? undefined : bytes.subarray(offset, offset + length),
      history: (flags & flagHistory) !== 0,
    });
    offset += Math.max(0, length);
  }
  return writes;
}
