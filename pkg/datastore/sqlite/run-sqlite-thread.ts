import type { DatastoreError } from "../datastore.ts";
import type { Failpoint } from "./file-step.ts";
import {
  type CommitRequest,
  type Failure,
  packWrites,
  type SqliteThreadData,
  type ThreadReport,
  type ThreadRequest,
  type ThreadWrite,
} from "./protocol.ts";
import { datastoreErrorFrom } from "./sqlite-errors.ts";
import { SqliteFile } from "./sqlite-file.ts";

/** What the thread needs of its `parentPort`. */
export interface ThreadPort {
  postMessage(report: ThreadReport, transfer?: ArrayBuffer[]): void;
  on(event: "message", listener: (request: ThreadRequest) => void): unknown;
  close(): void;
}

const reportBytesMax = 1024 * 1024;

/**
 * Opens the file, tells all that is in it, and then commits what it is sent: everything that arrived during one
 * commit is the next. Ends, with the port, after "close", or when the file cannot be opened.
 */
export function runSqliteThread(
  port: ThreadPort,
  data: SqliteThreadData,
  failpoint?: Failpoint,
): void {
  let file: SqliteFile;
  try {
    file = SqliteFile.open(data, failpoint);
    tellAll(port, file);
  } catch (caught) {
    port.postMessage({ type: "refused", failure: failureOf(caught, data) });
    port.close();
    return;
  }
  let arrived: CommitRequest[] = [];
  const commitArrived = () => {
    if (arrived.length === 0) return;
    const group = arrived;
    arrived = [];
    const failures = file.commit(group);
    port.postMessage({ type: "settled", ids: group.map(({ id }) => id), failures });
  };
  port.on("message", (request) => {
    if (request.type === "commit") {
      // What else lies in the port is delivered before the next turn of the loop.
      if (arrived.push(request) === 1) setImmediate(commitArrived);
      return;
    }
    commitArrived();
    if (request.type === "recover") {
      port.postMessage({ type: "recovered", failure: attempt(data, () => file.recover()) });
      return;
    }
    const failure = attempt(data, () => file.close(request.revision));
    port.postMessage({ type: "closed", failure });
    port.close();
  });
}

function tellAll(port: ThreadPort, file: SqliteFile): void {
  const tell = (type: "values" | "past", writes: ThreadWrite[]) => {
    const packed = packWrites(writes);
    const transfer = [packed.bytes.buffer as ArrayBuffer];
    if (type === "values") port.postMessage({ type, values: packed }, transfer);
    else port.postMessage({ type, rows: packed }, transfer);
  };
  for (const chunk of chunked(file.values(), (write) => [write])) tell("values", chunk);
  for (const chunk of chunked(file.past(), (pair) => pair)) tell("past", chunk);
  port.postMessage({ type: "opened", ...file.state });
}

/** The writes of `items` in lists of about a mebibyte; those of one item stay together. */
function* chunked<T>(
  items: Iterable<T>,
  writesOf: (item: T) => readonly ThreadWrite[],
): Generator<ThreadWrite[]> {
  let chunk: ThreadWrite[] = [];
  let bytes = 0;
  for (const item of items) {
    const writes = writesOf(item);
    chunk.push(...writes);
    for (const { value } of writes) bytes += 100 + (value?.byteLength ?? 0);
    if (bytes < reportBytesMax) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}

function attempt(data: SqliteThreadData, work: () => void): Failure | undefined {
  try {
    work();
    return undefined;
  } catch (caught) {
    return failureOf(caught, data);
  }
}

function failureOf(caught: unknown, data: SqliteThreadData): Failure {
  const { reason, message }: DatastoreError = datastoreErrorFrom(caught, data);
  return { reason, message };
}
