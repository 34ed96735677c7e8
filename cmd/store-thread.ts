import { parentPort } from "node:worker_threads";
import { assert } from "../pkg/base/assert.ts";
import type { SqliteThreadData } from "../pkg/datastore/sqlite/protocol.ts";
import { runSqliteThread } from "../pkg/datastore/sqlite/run-sqlite-thread.ts";

/** The thread that owns the SQLite file. */
export function runStoreThread(data: SqliteThreadData): void {
  assert(parentPort !== null, "the store's thread has a parent");
  runSqliteThread(parentPort, data);
}
