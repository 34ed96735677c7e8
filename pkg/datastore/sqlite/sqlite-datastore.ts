import { type Clock, systemClock } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import {
  type Datastore,
  DatastoreError,
  type Durability,
  type KeyRange,
  type ListResult,
  type Revision,
  type StoredValue,
  type StoreEvent,
  type WatchItem,
  type WriteOptions,
  type WriteResult,
} from "../datastore.ts";
import { defaultHistoryLimits, type History, type HistoryLimits } from "../history.ts";
import { DiskHealth } from "./disk-health.ts";
import { type LazyWrite, LazyWrites } from "./lazy-writes.ts";
import { historyOf } from "./load.ts";
import {
  type Failure,
  packWrites,
  type SqliteThreadData,
  type ThreadReport,
  type ThreadWrite,
  type WriteFailure,
} from "./protocol.ts";
import { segmentOf } from "./segment.ts";
import {
  errorOf,
  type OpenedFile,
  type SqliteThread,
  startWorker,
  ThreadEar,
  type ThreadReceiver,
} from "./sqlite-thread.ts";

export interface SqliteDatastoreOptions {
  readonly file: string;
  /** Starts the thread, which calls `runSqliteThread(parentPort, data)`. Default: a worker on `thread.ts`. */
  readonly startThread?: (data: SqliteThreadData) => SqliteThread;
  /** Path of better-sqlite3's addon, where it does not lie beside the package. */
  readonly nativeBinding?: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly history?: Partial<HistoryLimits>;
  /** Default: 1 GiB. */
  readonly fileBytesMax?: number;
  /** Pages in the write-ahead log before it is poured into the file. Default: 2,000, which are 8 MB. */
  readonly logPagesMax?: number;
  /** How long a lazy write stays in memory. Default: 30 s. */
  readonly lazyFlushMs?: number;
  /** How long to wait for another process to let go of the file. Default: 2 s. */
  readonly lockWaitMs?: number;
}

/** Revisions noted on the disk ahead of their use; a crash skips at most so many. */
const reserveRevisions = 10_000;
/** Reserved ones are never let run out: that would make a lazy write wait for the disk. */
const reserveMarginRevisions = 2_500;
/**
 * So many writes do not wait for the end of the turn: a turn that answers many requests is long, and the thread can
 * have the first of them on the disk before the last is accepted.
 */
const earlyFlushWrites = 16;
/** More lazy writes than this do not wait for their time. */
const lazyWritesMax = 10_000;

/** Resolves once all that is in the file is in memory. Rejects with a `DatastoreError` where the file cannot be used. */
export async function openSqliteDatastore(options: SqliteDatastoreOptions): Promise<Datastore> {
  const { file, nativeBinding } = options;
  const start = options.startThread ?? startWorker;
  const thread = start({
    file,
    nativeBinding,
    fileBytesMax: options.fileBytesMax ?? 1024 * 1024 * 1024,
    logPagesMax: options.logPagesMax ?? 2_000,
    lockWaitMs: options.lockWaitMs ?? 2_000,
  });
  const ear = new ThreadEar(thread, file);
  return new SqliteDatastore(options, thread, ear, await ear.opened);
}

/** A write that has its revision and waits for its turn to be seen: those with lower revisions come first. */
interface Accepted {
  readonly event: StoreEvent;
  state: "waiting" | "written" | DatastoreError;
  readonly settle: (outcome: "written" | DatastoreError) => void;
}

/** A write on its way to the thread, and who waits for it: a caller, or nobody any more. */
type Outgoing =
  | { readonly write: ThreadWrite; readonly accepted: Accepted }
  | { readonly write: ThreadWrite; readonly lazy: LazyWrite };

interface Commit {
  readonly outgoing: readonly Outgoing[];
  readonly reserve: Revision;
  readonly volatile: readonly string[];
}

class SqliteDatastore implements Datastore, ThreadReceiver {
  readonly #thread: SqliteThread;
  readonly #exited: Promise<void>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #health: DiskHealth;
  readonly #lazyFlushMs: number;
  readonly #historyLimits: HistoryLimits;
  readonly #history: History;
  readonly #closing = new AbortController();
  /** Aborts, with why, once nothing can be written any more. */
  readonly #dead = new AbortController();
  readonly #lazy = new LazyWrites();
  /** Keys with a write on its way; the next write to such a key waits to see what became of it. */
  readonly #busy = new Map<string, Promise<void>>();
  /** In the order of revisions. */
  readonly #accepted: Accepted[] = [];
  readonly #commits = new Map<number, Commit>();
  /** First segments of keys whose history is noted on the disk as not whole; the value is false until it is noted. */
  readonly #volatile = new Map<string, boolean>();
  #outgoing: Outgoing[] = [];
  #lastRevision: Revision;
  /** Noted on the disk. */
  #reserved: Revision;
  #lastCommitId = 0;
  #flushPlanned = false;
  #stopLazyTimer: (() => void) | undefined;
  /** At most: not all writes have history. */
  #eventsOnDisk: number;
  #historyBytesOnDisk: number;
  /** Who waits for all commits to be settled. */
  #whenIdle: (() => void) | undefined;
  #whenClosed: ((failure: Failure | undefined) => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    options: SqliteDatastoreOptions,
    thread: SqliteThread,
    ear: ThreadEar,
    opened: OpenedFile,
  ) {
    const { file, clock = systemClock, logger = silentLogger, lazyFlushMs = 30_000 } = options;
    this.#thread = thread;
    this.#exited = ear.exited;
    this.#clock = clock;
    this.#logger = logger.child({ file });
    this.#lazyFlushMs = lazyFlushMs;
    this.#health = new DiskHealth(clock, this.#logger, () =>
      thread.postMessage({ type: "recover" }),
    );
    const limits = { ...defaultHistoryLimits, ...options.history };
    this.#historyLimits = limits;
    this.#history = historyOf(opened, { clock, limits, logger: this.#logger });
    this.#eventsOnDisk = opened.past.length / 2;
    this.#historyBytesOnDisk = this.#history.eventBytes;
    this.#lastRevision = opened.revision;
    this.#reserved = opened.reserved;
    for (const segment of opened.volatile) this.#volatile.set(segment, true);
    if (!opened.clean)
      this.#logger.info("the datastore was not closed in good order and has been checked");
    ear.receiver = this;
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

  create(key: string, value: Uint8Array, options?: WriteOptions): Promise<WriteResult> {
    return this.#write(key, options, (previous, revision) =>
      previous === undefined
        ? {
            type: "put",
            revision,
            current: { key, value, createRevision: revision, revision },
            previous,
          }
        : undefined,
    );
  }

  update(
    key: string,
    value: Uint8Array,
    expected: Revision,
    options?: WriteOptions,
  ): Promise<WriteResult> {
    return this.#write(key, options, (previous, revision) =>
      previous?.revision === expected
        ? { type: "put", revision, current: { ...previous, value, revision }, previous }
        : undefined,
    );
  }

  delete(key: string, expected: Revision, options?: WriteOptions): Promise<WriteResult> {
    return this.#write(key, options, (previous, revision) =>
      previous?.revision === expected
        ? { type: "delete", revision, current: { ...previous, revision }, previous }
        : undefined,
    );
  }

  watch(prefix: string, after: Revision, signal: AbortSignal): AsyncIterable<WatchItem> {
    const asked = AbortSignal.any([signal, this.#closing.signal]);
    const history = this.#open();
    return this.#untilDeath(asked, (ending) => history.watch(prefix, after, ending));
  }

  async *#untilDeath(
    asked: AbortSignal,
    watch: (ending: AbortSignal) => AsyncIterable<WatchItem>,
  ): AsyncGenerator<WatchItem> {
    const dead = this.#dead.signal;
    yield* watch(AbortSignal.any([asked, dead]));
    if (!asked.aborted) dead.throwIfAborted();
  }

  compact(before: Revision): Promise<void> {
    return this.#answer((history) => {
      history.forget(before);
      this.#eventsOnDisk = Number.POSITIVE_INFINITY;
      this.#planFlush();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  onReport(report: ThreadReport): void {
    if (report.type === "settled") this.#onSettled(report.ids, report.failures);
    else if (report.type === "recovered") this.#health.onRecovered(report.failure);
    else if (report.type === "closed") this.#whenClosed?.(report.failure);
  }

  onDeath(error: DatastoreError): void {
    this.#health.onDeath(error);
    this.#dead.abort(error);
    for (const id of [...this.#commits.keys()]) this.#loseCommit(id, error);
    this.#whenIdle?.();
    this.#whenClosed?.(error);
    if (!this.#closing.signal.aborted)
      this.#logger.error("the datastore's thread ended", { error });
  }

  #open(): History {
    if (this.#closing.signal.aborted)
      throw new DatastoreError("closed", "the datastore is closed: open it again");
    return this.#history;
  }

  #answer<T>(question: (history: History) => T): Promise<T> {
    return new Promise((resolve) => resolve(question(this.#open())));
  }

  /** `decide` makes the event of a write, or nothing where what is there is not what was expected. */
  async #write(
    key: string,
    { durability = "durable" }: WriteOptions = {},
    decide: (previous: StoredValue | undefined, revision: Revision) => StoreEvent | undefined,
  ): Promise<WriteResult> {
    for (;;) {
      const busy = this.#busy.get(key);
      if (busy === undefined) break;
      await busy;
    }
    const history = this.#open();
    const previous = history.get(key);
    const event = decide(previous, this.#lastRevision + 1);
    if (event === undefined) return { outcome: "conflict", current: previous };
    const atOnce = durability !== "durable" && this.#mayBeLazy(key, event.revision);
    if (!atOnce && this.#health.failure !== undefined) throw this.#health.failure;
    this.#lastRevision = event.revision;
    const settled = this.#accept(event, atOnce ? "written" : "waiting", (accepted) => {
      if (atOnce) this.#keepLazily(event, durability);
      else this.#send(event, accepted, durability);
    });
    const outcome = await settled;
    if (outcome !== "written") throw outcome;
    return { outcome: "written", stored: event.current };
  }

  /** The key is busy from here until the outcome is known, and seen. */
  #accept(
    event: StoreEvent,
    state: Accepted["state"],
    dispatch: (accepted: Accepted) => void,
  ): Promise<"written" | DatastoreError> {
    const { key } = event.current;
    const settled = new Promise<"written" | DatastoreError>((resolve) => {
      const settle = (outcome: "written" | DatastoreError) => {
        this.#busy.delete(key);
        resolve(outcome);
      };
      const accepted: Accepted = { event, state, settle };
      this.#accepted.push(accepted);
      dispatch(accepted);
    });
    this.#busy.set(
      key,
      settled.then(() => {}),
    );
    if (state !== "waiting") this.#drain();
    return settled;
  }

  /** Without the disk: where the disk already knows that this may be lost, and that its revision is taken. */
  #mayBeLazy(key: string, revision: Revision): boolean {
    if (revision + reserveMarginRevisions > this.#reserved) this.#planFlush();
    // A crash takes the store to the reserved revision, which must be later than all that it loses: watches expire by it.
    return revision < this.#reserved && this.#volatile.get(segmentOf(key)) === true;
  }

  #keepLazily(event: StoreEvent, durability: Exclude<Durability, "durable">): void {
    this.#lazy.add({ write: this.#threadWrite(event, false), durability });
    if (this.#lazy.lazyCount > lazyWritesMax) this.#sendLazy();
    else if (this.#lazy.lazyCount > 0) this.#startLazyTimer();
  }

  #send(event: StoreEvent, accepted: Accepted, durability: Durability): void {
    const segment = segmentOf(event.current.key);
    const history = this.#volatile.get(segment) !== true;
    if (history && durability !== "durable") this.#volatile.set(segment, false);
    this.#outgoing.push({ write: this.#threadWrite(event, history), accepted });
    if (this.#outgoing.length >= earlyFlushWrites && !this.#health.ended) this.#flush();
    else this.#planFlush();
  }

  #threadWrite({ type, revision, current }: StoreEvent, history: boolean): ThreadWrite {
    const { key, createRevision, value } = current;
    const put = type === "put";
    return { type, key, createRevision, revision, value: put ? value : undefined, history };
  }

  #startLazyTimer(): void {
    this.#stopLazyTimer ??= this.#clock.after(this.#lazyFlushMs, () => this.#sendLazy());
  }

  #sendLazy(): void {
    this.#stopLazyTimer?.();
    this.#stopLazyTimer = undefined;
    this.#sendLazyWrites("lazy");
  }

  #sendLazyWrites(upTo: "lazy" | "at-close"): void {
    if (this.#health.failure === undefined) {
      // A key with a write on its way may get a later state on the disk first, which this must not undo.
      const lazies = this.#lazy.takeAll(upTo, (key) => this.#busy.has(key));
      for (const lazy of lazies) this.#outgoing.push({ write: lazy.write, lazy });
      this.#planFlush();
    }
    if (this.#lazy.lazyCount > 0) this.#startLazyTimer();
  }

  /** What is accepted in one turn of the event loop travels together, in portions where it is much. */
  #planFlush(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    setImmediate(() => {
      this.#flushPlanned = false;
      if (this.#outgoing.length > 0 || this.#runsOutOfReserve()) this.#flush();
      else if (this.#commits.size === 0) this.#whenIdle?.();
    });
  }

  #runsOutOfReserve(): boolean {
    return this.#lastRevision + reserveMarginRevisions > this.#reserved;
  }

  #flush(): void {
    const outgoing = this.#outgoing;
    this.#outgoing = [];
    const last = this.#lastRevision;
    const reserve = this.#runsOutOfReserve() ? last + reserveRevisions : this.#reserved;
    const volatile = [...this.#volatile].filter(([, noted]) => !noted).map(([segment]) => segment);
    const id = ++this.#lastCommitId;
    this.#commits.set(id, { outgoing, reserve, volatile });
    if (this.#health.ended) {
      this.#loseCommit(id, this.#health.failure);
      return;
    }
    const writes = packWrites(outgoing.map(({ write }) => write));
    const forgetUpTo = this.#forgetUpTo(outgoing.length, writes.bytes.byteLength);
    this.#thread.postMessage({ type: "commit", id, writes, reserve, volatile, forgetUpTo }, [
      writes.bytes.buffer as ArrayBuffer,
    ]);
  }

  /** Now and then, what is forgotten here is forgotten on the disk too. */
  #forgetUpTo(writes: number, bytes: number): Revision {
    this.#eventsOnDisk += writes;
    this.#historyBytesOnDisk += bytes;
    const { eventsMax, bytesMax } = this.#historyLimits;
    const slack = 1.25;
    if (this.#eventsOnDisk < eventsMax * slack && this.#historyBytesOnDisk < bytesMax * slack)
      return 0;
    this.#eventsOnDisk = this.#history.eventCount;
    this.#historyBytesOnDisk = this.#history.eventBytes;
    return this.#history.oldest;
  }

  #onSettled(ids: readonly number[], failures: readonly WriteFailure[]): void {
    for (const id of ids) {
      const own = failures.filter((failure) => failure.id === id);
      this.#settleCommit(id, own.length === 0 ? undefined : own);
    }
    for (const failure of failures) this.#health.onFailure(failure);
    this.#drain();
    if (this.#commits.size === 0) this.#whenIdle?.();
  }

  /** Nobody is left to say what became of it. */
  #loseCommit(id: number, error: Failure = { reason: "io", message: "the thread ended" }): void {
    const { reason, message } = error;
    this.#settleCommit(id, [{ id, index: -1, reason, message }]);
    this.#drain();
  }

  #settleCommit(id: number, failures: readonly WriteFailure[] | undefined): void {
    const commit = this.#commits.get(id);
    if (commit === undefined) return;
    this.#commits.delete(id);
    const whole = failures?.find(({ index }) => index < 0);
    if (whole === undefined) {
      this.#reserved = Math.max(this.#reserved, commit.reserve);
      for (const segment of commit.volatile) this.#volatile.set(segment, true);
    }
    for (const [index, outgoing] of commit.outgoing.entries()) {
      const failure = whole ?? failures?.find((one) => one.index === index);
      if (failure === undefined) this.#onWritten(outgoing);
      else if ("lazy" in outgoing) this.#restoreLazy(outgoing.lazy);
      else outgoing.accepted.state = errorOf(failure);
    }
  }

  #onWritten(outgoing: Outgoing): void {
    if ("lazy" in outgoing) return;
    outgoing.accepted.state = "written";
    this.#lazy.supersede(outgoing.write.key, outgoing.write.revision);
  }

  #restoreLazy(lazy: LazyWrite): void {
    this.#lazy.restore(lazy);
    if (!this.#closing.signal.aborted) this.#startLazyTimer();
  }

  /** Makes visible, in the order of revisions, all that no earlier write holds up any more. */
  #drain(): void {
    const settled: Accepted[] = [];
    for (;;) {
      const first = this.#accepted[0];
      if (first === undefined || first.state === "waiting") break;
      settled.push(first);
      this.#accepted.shift();
    }
    if (settled.length === 0) return;
    this.#history.apply(
      settled.filter(({ state }) => state === "written").map(({ event }) => event),
    );
    for (const { state, settle } of settled) if (state !== "waiting") settle(state);
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    this.#health.stop();
    await this.#idle();
    // A disk that failed may work by now: this is the last chance for what is only in memory.
    await this.#health.askNow();
    this.#sendLazyWrites("at-close");
    this.#stopLazyTimer?.();
    await this.#idle();
    if (this.#lazy.count > 0) {
      this.#logger.error("lazy writes are lost at close", { count: this.#lazy.count });
      // The next opening is at a revision that nobody has seen with them.
      this.#lastRevision++;
    }
    if (this.#health.ended) throw this.#health.failure;
    const failure = await new Promise<Failure | undefined>((resolve) => {
      this.#whenClosed = resolve;
      this.#thread.postMessage({ type: "close", revision: this.#lastRevision });
    });
    await this.#exited;
    if (failure !== undefined) throw errorOf(failure);
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle = () => {
        if (this.#flushPlanned || this.#commits.size > 0) return;
        resolve();
      };
      this.#whenIdle();
    });
  }
}
