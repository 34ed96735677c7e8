import { parentPort, workerData } from "node:worker_threads";
import { present } from "../../base/assert.ts";
import { runSqliteThread } from "./run-sqlite-thread.ts";

runSqliteThread(present(parentPort, "the port of a worker"), workerData);
