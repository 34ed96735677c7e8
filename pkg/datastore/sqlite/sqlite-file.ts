import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { DatastoreError, type Revision } from "../datastore.ts";
import type { Failpoint } from "./file-step.ts";
import { findLogDamage } from "./log-damage.ts";
import type { CommitRequest, SqliteThreadData, ThreadWrite, WriteFailure } from "./protocol.ts";
import { unpackWrites } from "./protocol.ts";
import { isSound, rowSum } from "./row-sum.ts";
import { applicationId, fromSchema1Sql, pageBytes, schemaSql, schemaVersion } from "./schema.ts";
import { datastoreErrorFrom, lost } from "./sqlite-errors.ts";

/** Free pages are given back to the disk once they are this many, and a quarter of the file. */
const freePagesMin = 1_024;
/** Above the cap, for what makes room: deletes, and the store's own marks. */
const reservedPages = 512;
const cacheKibibytes = 4_096;

export interface FileState {
  readonly revision: Revision;
  readonly oldest: Revision;
  readonly reserved: Revision;
  readonly volatile: readonly string[];
  readonly clean: boolean;
  /** Of keys, where that was noted when the file was closed. */
  readonly count: number | undefined;
}

type Failed = Omit<WriteFailure, "id" | "index">;

/** One SQLite file and the only connection to it. Everything here waits for the disk: it lives in a thread of its own. */
export class SqliteFile {
  readonly #options: SqliteThreadData;
  readonly #failpoint: Failpoint;
  readonly #database: Database.Database;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #pagesMax: number;
  readonly #state: FileState;
  #reserved: Revision;
  #oldest: Revision;
  readonly #volatile: Set<string>;
  /** Set by the first write that the disk failed on; until `recover`, nothing is written any more. */
  #failed: DatastoreError | undefined;

  /** Throws a `DatastoreError` where the file is locked, damaged, not ours, or newer than this program. */
  constructor(options: SqliteThreadData, database: Database.Database, failpoint: Failpoint) {
    this.#options = options;
    this.#failpoint = failpoint;
    this.#database = database;
    this.#pagesMax = Math.max(64, Math.floor(options.fileBytesMax / pageBytes));
    prepareFile(options, database, failpoint);
    this.#limitPages(this.#pagesMax);
    this.#statements = prepareStatements(database);
    this.#state = this.#begin();
    this.#reserved = this.#state.reserved;
    this.#oldest = this.#state.oldest;
    this.#volatile = new Set(this.#state.volatile);
  }

  static open(options: SqliteThreadData, failpoint: Failpoint = () => {}): SqliteFile {
    let database: Database.Database | undefined;
    try {
      makeWhole(options, failpoint);
      refuseWhatIsLost(options.file);
      database = connect(options.file, options);
      return new SqliteFile(options, database, failpoint);
    } catch (caught) {
      database?.close();
      throw datastoreErrorFrom(caught, options);
    }
  }

  /** As it was when it was opened. */
  get state(): FileState {
    return this.#state;
  }

  /** Throws, at the latest after the last one, where they are not what was written. */
  *values(): Generator<ThreadWrite> {
    let count = 0;
    for (const row of this.#statements.allCurrent.iterate()) {
      const { key, createRevision, revision, value, sum } = row;
      if (!isSound(sum, key, createRevision, revision, value) || revision > this.#state.reserved)
        throw lost(this.#options.file, `does not hold under "${key}" what was written there`);
      count++;
      yield { type: "put", key, createRevision, revision, value, history: false };
    }
    if (this.#state.count !== undefined && this.#state.count !== count)
      throw lost(this.#options.file, `holds ${count} keys instead of ${this.#state.count}`);
  }

  /** For each write that history tells of, the write and what it replaced; the second has revision 0 where that was nothing. */
  *past(): Generator<readonly [ThreadWrite, ThreadWrite]> {
    for (const row of this.#statements.allHistory.iterate()) {
      const { key, deleted, previousValue } = row;
      // Undo records that do not fit are left out with all of history: nothing is lost but the past.
      const revision = isSoundPast(row) ? row.revision : 0;
      const change = deleted === 1 ? "delete" : "put";
      yield [
        { type: change, key, createRevision: 0, revision, value: undefined, history: true },
        {
          type: "put",
          key,
          createRevision: row.previousCreateRevision ?? 0,
          revision: row.previousRevision ?? 0,
          value: previousValue ?? undefined,
          history: true,
        },
      ];
    }
  }

  /** Commits all of them in one transaction; where that does not fit, as many of their writes as do. */
  commit(requests: readonly CommitRequest[]): WriteFailure[] {
    if (this.#failed !== undefined) return failAll(requests, this.#failed);
    try {
      this.#transaction(() => {
        for (const request of requests) {
          this.#mark(request);
          for (const write of unpackWrites(request.writes)) this.#write(write);
          this.#failpoint("commit: written");
          this.#forget(request.forgetUpTo);
        }
      });
      this.#remember(requests);
      return [];
    } catch (caught) {
      const error = this.#failUnlessFull(caught);
      return error.reason === "full" ? this.#commitWhatFits(requests) : failAll(requests, error);
    }
  }

  /**
   * Throws where the disk still fails. A failed fsync may have dropped what it was to write, so all that was
   * committed is copied from the log into the file and synced anew; the log then starts empty, without what was refused.
   */
  recover(): void {
    try {
      this.#checkpoint();
      this.#writeMark();
      this.#failed = undefined;
    } catch (caught) {
      throw datastoreErrorFrom(caught, this.#options);
    }
  }

  /** `revision` is the last one handed out. */
  close(revision: Revision): void {
    try {
      if (this.#failed === undefined) {
        this.#transaction(() => {
          this.#statements.setMeta.run("reserved", Math.max(revision, this.#state.revision));
          this.#statements.setMeta.run("clean", 1);
          this.#statements.setMeta.run("count", this.#statements.countCurrent.get()?.count ?? 0);
        });
        this.#failpoint("close: noted");
        this.#checkpoint();
        this.#failpoint("close: emptied");
      }
    } catch (caught) {
      throw datastoreErrorFrom(caught, this.#options);
    } finally {
      this.#database.close();
    }
  }

  /** Reads what was left and, in one durable step, notes that the file is in use. */
  #begin(): FileState {
    const meta = new Map(this.#statements.allMeta.all().map(({ name, value }) => [name, value]));
    const revision = meta.get("reserved") ?? 0;
    const clean = meta.get("clean") === 1;
    if (!clean) this.#check();
    this.#failpoint("open: checked");
    this.#limitPages(this.#pagesMax + reservedPages);
    this.#transaction(() => {
      this.#statements.setMeta.run("clean", 0);
      this.#statements.dropMeta.run("count");
    });
    this.#failpoint("open: noted");
    this.#limitPages(this.#pagesMax);
    const volatile = [...meta.keys()]
      .filter((name) => name.startsWith("volatile/"))
      .map((name) => name.slice("volatile/".length));
    const [oldest, count] = [meta.get("oldest") ?? 0, meta.get("count")];
    return { revision, oldest, reserved: revision, volatile, clean, count };
  }

  /** After a crash the file is looked over once. */
  #check(): void {
    const found = this.#database.pragma("quick_check(1)", { simple: true });
    if (found === "ok") return;
    throw lost(this.#options.file, `is damaged (${found})`);
  }

  #mark({ reserve, volatile }: CommitRequest): void {
    if (reserve > this.#reserved) this.#statements.setMeta.run("reserved", reserve);
    for (const segment of volatile) {
      if (!this.#volatile.has(segment)) this.#statements.setMeta.run(`volatile/${segment}`, 1);
    }
  }

  #remember(requests: readonly CommitRequest[]): void {
    for (const { reserve, volatile, forgetUpTo } of requests) {
      this.#reserved = Math.max(this.#reserved, reserve);
      this.#oldest = Math.max(this.#oldest, forgetUpTo);
      for (const segment of volatile) this.#volatile.add(segment);
    }
    this.#giveBack();
  }

  #write({ type, key, createRevision, revision, value, history }: ThreadWrite): void {
    const statements = this.#statements;
    if (history && createRevision === revision) statements.noteCreated.run(revision, key);
    else if (history) statements.noteReplaced.run(revision, type === "delete" ? 1 : 0, key);
    if (type === "delete" || value === undefined) statements.remove.run(key);
    else
      statements.put.run(
        ...([key, createRevision, revision, bufferOf(value)] as const),
        rowSum(key, createRevision, revision, value),
      );
  }

  #forget(upTo: Revision): void {
    if (upTo <= this.#oldest) return;
    this.#statements.forget.run(upTo);
    this.#failpoint("commit: forgotten");
    this.#statements.setMeta.run("oldest", upTo);
  }

  /** One write at a time; deletes may use the pages kept for them. History makes way first. */
  #commitWhatFits(requests: readonly CommitRequest[]): WriteFailure[] {
    const failures: WriteFailure[] = [];
    this.#makeRoom();
    for (const request of requests) {
      const marked = this.#attempt(this.#pagesMax + reservedPages, () => this.#mark(request));
      if (marked !== undefined) {
        failures.push({ id: request.id, index: -1, ...marked });
        continue;
      }
      this.#remember([{ ...request, forgetUpTo: 0 }]);
      for (const [index, write] of unpackWrites(request.writes).entries()) {
        const pages = this.#pagesMax + (write.type === "delete" ? reservedPages : 0);
        const failed = this.#attempt(pages, () => this.#write(write));
        if (failed !== undefined) failures.push({ id: request.id, index, ...failed });
      }
    }
    return failures;
  }

  #attempt(pagesMax: number, work: () => void): Failed | undefined {
    if (this.#failed !== undefined) return failureOf(this.#failed);
    try {
      this.#limitPages(pagesMax);
      this.#transaction(work);
      return undefined;
    } catch (caught) {
      return failureOf(this.#failUnlessFull(caught));
    } finally {
      this.#limitPages(this.#pagesMax);
    }
  }

  /** Empties the log, then forgets the older half of history; either may fail on a disk without any space. */
  #makeRoom(): void {
    try {
      this.#checkpoint();
      this.#failpoint("room: emptied");
      const middle = this.#statements.middleOfHistory.get()?.revision ?? 0;
      if (middle <= this.#oldest) return;
      this.#limitPages(this.#pagesMax + reservedPages);
      this.#transaction(() => this.#forget(middle));
      this.#oldest = middle;
      this.#failpoint("room: forgotten");
    } catch (caught) {
      this.#failUnlessFull(caught);
    } finally {
      this.#limitPages(this.#pagesMax);
    }
  }

  /** Never fails what was committed before it. */
  #giveBack(): void {
    try {
      const free = Number(this.#database.pragma("freelist_count", { simple: true }));
      if (free < freePagesMin) return;
      const pages = Number(this.#database.pragma("page_count", { simple: true }));
      if (free * 4 < pages) return;
      this.#failpoint("vacuum: begun");
      this.#database.pragma(`incremental_vacuum(${freePagesMin})`);
      this.#failpoint("vacuum: done");
    } catch (caught) {
      this.#failUnlessFull(caught);
    }
  }

  /** The least that can be written: one more revision is skipped, because SQLite writes nothing where nothing changes. */
  #writeMark(): void {
    this.#reserved++;
    this.#transaction(() => this.#statements.setMeta.run("reserved", this.#reserved));
  }

  #failUnlessFull(caught: unknown): DatastoreError {
    const error = datastoreErrorFrom(caught, this.#options);
    if (error.reason === "full") return error;
    this.#failed = error;
    if (error.reason !== "corrupt") this.#overwriteRefused();
    return error;
  }

  /**
   * A commit whose fsync failed lies whole in the log, where a start after a kill would find it and take it for
   * written. The next transaction begins at the same place: after it, what follows of the refused one has wrong sums.
   * It is written without asking for another fsync, which may fail again: at the beginning of a log SQLite syncs the
   * header first, and would get no further.
   */
  #overwriteRefused(): void {
    try {
      this.#database.pragma("synchronous=OFF");
      this.#writeMark();
    } catch {
      // Nothing can be written: then what was refused was not written, either.
    } finally {
      this.#database.pragma("synchronous=FULL");
    }
  }

  #transaction(work: () => void): void {
    this.#statements.begin.run();
    try {
      this.#failpoint("commit: begun");
      work();
      this.#failpoint("commit: whole");
      this.#statements.commit.run();
    } catch (caught) {
      // SQLite has rolled back by itself after some failures.
      if (this.#database.inTransaction) this.#statements.rollback.run();
      throw caught;
    }
    this.#failpoint("commit: done");
  }

  #checkpoint(): void {
    this.#failpoint("checkpoint: begun");
    const rows = this.#database.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[];
    if (rows[0]?.busy !== 0)
      throw new DatastoreError("io", "the datastore's log cannot be emptied");
    this.#failpoint("checkpoint: done");
  }

  /** Never lower than the file already is: SQLite sees to that. */
  #limitPages(pages: number): void {
    this.#database.pragma(`max_page_count=${pages}`);
  }
}

function failAll(requests: readonly CommitRequest[], error: DatastoreError): WriteFailure[] {
  return requests.map(({ id }) => ({ id, index: -1, ...failureOf(error) }));
}

function failureOf({ reason, message }: DatastoreError): Failed {
  return { reason, message };
}

function bufferOf(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/**
 * A new file is made under another name and gets its own once it is whole and synced: one that is found empty or
 * without tables was never left so. The file holds secrets: only its owner may read it, or what SQLite puts beside it.
 */
function makeWhole(options: SqliteThreadData, failpoint: Failpoint): void {
  const { file } = options;
  if (existsSync(file)) {
    // SQLite opens what it may only read, and fails later by another name.
    for (const path of [file, dirname(file)]) accessSync(path, constants.R_OK | constants.W_OK);
    return;
  }
  refuseLogWithoutFile(file);
  const unfinished = `${file}.new`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // Of an earlier start, which did not live to give it its name.
  for (const suffix of ["", "-wal", "-journal"]) rmSync(`${unfinished}${suffix}`, { force: true });
  closeSync(openSync(unfinished, "a", 0o600));
  failpoint("open: made");
  const database = connect(unfinished, options);
  try {
    database.pragma("locking_mode=EXCLUSIVE");
    database.pragma(`page_size=${pageBytes}`);
    database.pragma("auto_vacuum=INCREMENTAL");
    useLog(file, database);
    createTables(database);
  } finally {
    database.close();
  }
  failpoint("open: tables");
  renameSync(unfinished, file);
  // The name in the directory must survive a power cut too.
  const directory = openSync(dirname(file), "r");
  fsyncSync(directory);
  closeSync(directory);
  failpoint("open: named");
}

function connect(file: string, { lockWaitMs, nativeBinding }: SqliteThreadData): Database.Database {
  const addon = nativeBinding === undefined ? undefined : loadAddon(nativeBinding);
  return new Database(file, {
    timeout: lockWaitMs,
    ...(addon === undefined ? {} : { nativeBinding: addon }),
  });
}

/** SQLite would delete the log, and with it what was acknowledged last. */
function refuseLogWithoutFile(file: string): void {
  const log = `${file}-wal`;
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
  throw lost(file, `is not there, though its log ${log} is`);
}

function refuseWhatIsLost(file: string): void {
  if (statSync(file).size === 0) throw lost(file, "is empty, though it was never left so");
  const damage = findLogDamage(`${file}-wal`);
  if (damage === undefined) return;
  const where = `byte ${damage.at} of its log ${file}-wal`;
  throw lost(file, `is damaged at ${where}, and what was acknowledged after that would be lost`);
}

/**
 * By dlopen, because `require` in a single executable loads no files. The package takes the loaded addon as well
 * as its path; its types know only of the path.
 */
function loadAddon(path: string): string {
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports as string;
}

function prepareFile(
  { file, logPagesMax }: SqliteThreadData,
  database: Database.Database,
  failpoint: Failpoint,
): void {
  // Before anything is read: the lock is then kept until the connection is closed, and needs no shared memory.
  database.pragma("locking_mode=EXCLUSIVE");
  const version = schemaOf(file, database);
  useLog(file, database);
  database.pragma("synchronous=FULL");
  database.pragma(`wal_autocheckpoint=${logPagesMax}`);
  database.pragma(`journal_size_limit=${logPagesMax * pageBytes}`);
  database.pragma(`cache_size=-${cacheKibibytes}`);
  if (version < schemaVersion) renewTables(database);
  failpoint("open: prepared");
}

/** In one transaction: a crash leaves the old schema or the new one. */
function renewTables(database: Database.Database): void {
  database.function("row_sum", rowSum as (...parts: unknown[]) => number);
  database.exec(`BEGIN EXCLUSIVE; ${fromSchema1Sql} PRAGMA user_version=${schemaVersion}; COMMIT;`);
}

function useLog(file: string, database: Database.Database): void {
  if (database.pragma("journal_mode=WAL", { simple: true }) !== "wal")
    throw new DatastoreError(
      "io",
      `the datastore ${file} cannot use a write-ahead log on this disk`,
    );
}

function createTables(database: Database.Database): void {
  database.exec(`
    PRAGMA synchronous=FULL;
    BEGIN EXCLUSIVE;
    ${schemaSql}
    PRAGMA application_id=${applicationId};
    PRAGMA user_version=${schemaVersion};
    COMMIT;
  `);
}

function schemaOf(file: string, database: Database.Database): number {
  if (database.pragma("application_id", { simple: true }) !== applicationId)
    throw new DatastoreError(
      "corrupt",
      `${file} is not a mini8s datastore: move it away (mv ${file} ${file}.other), or choose another path`,
    );
  const version = Number(database.pragma("user_version", { simple: true }));
  if (version > schemaVersion)
    throw new DatastoreError(
      "newer-schema",
      `the datastore ${file} was written by a newer mini8s (schema ${version}, this one knows ${schemaVersion}): start that version, or restore an older snapshot`,
    );
  return version;
}

interface CurrentRow {
  readonly key: string;
  readonly createRevision: number;
  readonly revision: number;
  readonly value: Buffer;
  readonly sum: number;
}

interface HistoryRow {
  readonly revision: number;
  readonly key: string;
  readonly deleted: number;
  readonly previousCreateRevision: number | null;
  readonly previousRevision: number | null;
  readonly previousValue: Buffer | null;
  readonly previousSum: number | null;
}

function isSoundPast(row: HistoryRow): boolean {
  const { key, previousCreateRevision, previousRevision, previousValue, previousSum } = row;
  const parts = [previousSum, previousCreateRevision, previousRevision, previousValue];
  if (parts.every((part) => part === null)) return true;
  return isSound(previousSum, key, previousCreateRevision, previousRevision, previousValue);
}

function prepareStatements(database: Database.Database) {
  return {
    begin: database.prepare("BEGIN IMMEDIATE"),
    commit: database.prepare("COMMIT"),
    rollback: database.prepare("ROLLBACK"),
    put: database.prepare<[string, number, number, Buffer, number]>(
      `INSERT INTO current (key, create_revision, revision, value, sum) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET
         create_revision = excluded.create_revision, revision = excluded.revision,
         value = excluded.value, sum = excluded.sum`,
    ),
    remove: database.prepare<[string]>("DELETE FROM current WHERE key = ?"),
    noteCreated: database.prepare<[number, string]>(
      "INSERT INTO history (revision, key, deleted) VALUES (?, ?, 0)",
    ),
    noteReplaced: database.prepare<[number, number, string]>(
      `INSERT INTO history SELECT ?, key, ?, create_revision, revision, value, sum FROM current WHERE key = ?`,
    ),
    forget: database.prepare<[number]>("DELETE FROM history WHERE revision <= ?"),
    middleOfHistory: database.prepare<[], { readonly revision: number }>(
      "SELECT revision FROM history ORDER BY revision LIMIT 1 OFFSET (SELECT count(*) / 2 FROM history)",
    ),
    setMeta: database.prepare<[string, number]>(
      "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    ),
    dropMeta: database.prepare<[string]>("DELETE FROM meta WHERE name = ?"),
    countCurrent: database.prepare<[], { readonly count: number }>(
      "SELECT count(*) AS count FROM current",
    ),
    allMeta: database.prepare<[], { readonly name: string; readonly value: number }>(
      "SELECT name, value FROM meta",
    ),
    allCurrent: database.prepare<[], CurrentRow>(
      "SELECT key, create_revision AS createRevision, revision, value, sum FROM current",
    ),
    allHistory: database.prepare<[], HistoryRow>(
      `SELECT revision, key, deleted, previous_create_revision AS previousCreateRevision,
         previous_revision AS previousRevision, previous_value AS previousValue,
         previous_sum AS previousSum
       FROM history ORDER BY revision`,
    ),
  };
}
