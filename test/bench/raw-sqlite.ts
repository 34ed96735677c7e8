import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import Database from "better-sqlite3";

/** Rows of `bytes` that bare SQLite writes in a second, so many to a commit: WAL, `synchronous=FULL`. */
export async function sqliteRowsPerSecond(
  rowsPerCommit: number,
  bytes: number,
  durationMs: number,
): Promise<number> {
  const directory = await mkdtemp("/var/tmp/mini8s-floor-");
  const database = new Database(join(directory, "floor.db"));
  try {
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = FULL");
    database.exec(
      "CREATE TABLE objects (key TEXT PRIMARY KEY, revision INTEGER, value BLOB) WITHOUT ROWID",
    );
    const insert = database.prepare("INSERT INTO objects VALUES (?, ?, ?)");
    const value = Buffer.alloc(bytes, "x");
    let row = 0;
    const commit = database.transaction(() => {
      for (let index = 0; index < rowsPerCommit; index++)
        insert.run(`configmaps/default/${row++}`, row, value);
    });
    const started = performance.now();
    while (performance.now() - started < durationMs) {
      commit();
      await nextTurn();
    }
    return row / ((performance.now() - started) / 1_000);
  } finally {
    database.close();
    await rm(directory, { recursive: true, force: true });
  }
}
