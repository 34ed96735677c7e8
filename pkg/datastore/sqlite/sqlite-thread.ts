import { Worker } from "node:worker_threads";
import { DatastoreError } from "../datastore.ts";
import {
  type Failure,
  type SqliteThreadData,
  type ThreadReport,
  type ThreadRequest,
  type ThreadWrite,
  unpackWrites,
} from "./protocol.ts";

/** The thread that owns the file, as it is seen from the other side; a `Worker` is one. */
export interface SqliteThread {
  postMessage(request: ThreadRequest, transfer?: ArrayBuffer[]): void;
  on(event: "message", listener: (report: ThreadReport) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "exit", listener: () => void): unknown;
}

/** All that the thread told while it opened the file. */
export type OpenedFile = Extract<ThreadReport, { type: "opened" }> & {
  readonly values: readonly ThreadWrite[];
  readonly past: readonly ThreadWrite[];
};

/** Who is told what the thread reports once the file is open. */
export interface ThreadReceiver {
  onReport(report: ThreadReport): void;
  onDeath(error: DatastoreError): void;
}

/** A worker on `thread.ts`, for wherever the source or its compiled files lie side by side. */
export function startWorker(data: SqliteThreadData): SqliteThread {
  return new Worker(new URL("./thread.ts", import.meta.url), {
    name: "sqlite",
    workerData: data,
    // The parent's flags, a test runner's among them, are not for this thread.
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
}

/** Hears the thread: gathers what it tells while it opens, and hands on what it reports afterwards. */
export class ThreadEar {
  /** Rejects where the file cannot be used, once the thread has ended. */
  readonly opened: Promise<OpenedFile>;
  readonly exited: Promise<void>;
  receiver: ThreadReceiver | undefined;

  constructor(thread: SqliteThread, file: string) {
    this.exited = new Promise((resolve) => thread.on("exit", resolve));
    const opened = this.#listen(thread, file);
    this.opened = opened.catch(async (error) => {
      await this.exited;
      throw error;
    });
  }

  #listen(thread: SqliteThread, file: string): Promise<OpenedFile> {
    const values: ThreadWrite[] = [];
    const past: ThreadWrite[] = [];
    return new Promise((resolve, reject) => {
      const die = (cause?: Error) => {
        const message = `the thread of the datastore ${file} ended: restart mini8s`;
        const error = new DatastoreError("io", message, cause === undefined ? {} : { cause });
        reject(error);
        this.receiver?.onDeath(error);
      };
      thread.on("error", die);
      thread.on("exit", () => die());
      thread.on("message", (report) => {
        if (report.type === "values") values.push(...unpackWrites(report.values));
        else if (report.type === "past") past.push(...unpackWrites(report.rows));
        else if (report.type === "opened") resolve({ ...report, values, past });
        else if (report.type === "refused") reject(errorOf(report.failure));
        else this.receiver?.onReport(report);
      });
    });
  }
}

/** What the thread tells of a failure, as the error that it was there. */
export function errorOf({ reason, message }: Failure): DatastoreError {
  return new DatastoreError(reason, message);
}
