import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Failpoint, FileStep } from "../../pkg/datastore/sqlite/file-step.ts";
import type {
  SqliteThreadData,
  ThreadReport,
  ThreadRequest,
} from "../../pkg/datastore/sqlite/protocol.ts";
import { runSqliteThread, type ThreadPort } from "../../pkg/datastore/sqlite/run-sqlite-thread.ts";
import type { SqliteThread } from "../../pkg/datastore/sqlite/sqlite-thread.ts";
import { settle } from "../support/manual-clock.ts";

/** What the store's own thread is made to do wrong, to see that it is found out. */
export interface ThreadFaults {
  /** Says that a commit is done before it is. */
  readonly acknowledgesTooEarly?: boolean;
}

/** Which step the process does not survive, and how often it gets over it before. */
export interface Doom {
  readonly step: FileStep | "any";
  readonly survives: number;
}

const databaseFile = "state.db";

/**
 * The real code of the store's thread, run here and as slowly as one likes: a message arrives when it is delivered. It
 * can be killed in the middle of any step; then what its files held at that moment is in `remains`.
 */
export class SimulatedProcess {
  readonly file: string;
  readonly remains: string;
  /** Steps that were reached, for a test to see that they are. */
  readonly reached = new Set<FileStep>();
  doom: Doom | undefined;
  /** What the disk does at the end of the next transactions instead of committing. */
  readonly diskErrors: string[] = [];
  diedAt: FileStep | "between steps" | undefined;
  readonly #toThread: ThreadRequest[] = [];
  readonly #toMain: ThreadReport[] = [];
  readonly #faults: ThreadFaults;
  readonly #onReport: ((report: ThreadReport) => void)[] = [];
  readonly #onExit: (() => void)[] = [];
  #onRequest: (request: ThreadRequest) => void = () => {};
  #ended = false;

  constructor(directory: string, remains: string, faults: ThreadFaults = {}) {
    mkdirSync(remains, { recursive: true });
    this.file = join(directory, databaseFile);
    this.remains = remains;
    this.#faults = faults;
  }

  readonly startThread = (data: SqliteThreadData): SqliteThread => {
    const port: ThreadPort = {
      postMessage: (report, transfer = []) => {
        if (this.diedAt === undefined) this.#toMain.push(structuredClone(report, { transfer }));
      },
      on: (_event, listener) => {
        this.#onRequest = listener;
      },
      close: () => {
        this.#ended = true;
      },
    };
    // As with a real thread, whoever started it listens before it says anything.
    setImmediate(() => runSqliteThread(port, data, this.#failpoint));
    return {
      postMessage: (request, transfer = []) => {
        this.#toThread.push(structuredClone(request, { transfer }));
        if (request.type === "commit" && this.#faults.acknowledgesTooEarly === true)
          this.#toMain.push({ type: "settled", ids: [request.id], failures: [] });
      },
      on: (event: string, listener: (value: never) => void) => {
        if (event === "message") this.#onReport.push(listener as (report: ThreadReport) => void);
        else if (event === "exit") this.#onExit.push(listener as () => void);
      },
    };
  };

  /** Lets up to `count` messages arrive at the thread, and it do its work. */
  async deliverRequests(count: number): Promise<void> {
    if (this.diedAt !== undefined) return;
    for (const request of this.#toThread.splice(0, count)) this.#onRequest(request);
    await settle();
  }

  /** Lets up to `count` messages of the thread arrive. */
  async deliverReports(count: number): Promise<void> {
    if (this.diedAt !== undefined) return;
    for (const report of this.#toMain.splice(0, count)) {
      const early = report.type === "settled" && this.#faults.acknowledgesTooEarly === true;
      if (early && report.failures.length > 0) continue;
      for (const listener of this.#onReport) listener(report);
    }
    await settle();
    if (this.#ended && this.#toMain.length === 0) this.#exit();
  }

  async deliverAll(): Promise<void> {
    await settle();
    while (this.diedAt === undefined && (this.#toThread.length > 0 || this.#toMain.length > 0)) {
      await this.deliverRequests(Number.POSITIVE_INFINITY);
      await this.deliverReports(Number.POSITIVE_INFINITY);
    }
  }

  /** As by `kill -9`: what is on its way is lost. */
  kill(at: FileStep | "between steps" = "between steps"): void {
    if (this.diedAt !== undefined) return;
    this.diedAt = at;
    const directory = dirname(this.file);
    for (const name of readdirSync(directory))
      copyFileSync(join(directory, name), join(this.remains, name));
  }

  /** Lets go of what the dead one holds in this process: its connection, and those who wait for it. */
  async bury(): Promise<void> {
    this.#onRequest({ type: "close", revision: 0 });
    this.#exit();
    await settle();
  }

  readonly #failpoint: Failpoint = (step) => {
    if (this.diedAt !== undefined) return;
    this.reached.add(step);
    const { doom } = this;
    if (doom !== undefined && (doom.step === "any" || doom.step === step)) {
      if (doom.survives === 0) {
        this.kill(step);
        return;
      }
      this.doom = { ...doom, survives: doom.survives - 1 };
    }
    const code = step === "commit: whole" ? this.diskErrors.shift() : undefined;
    if (code !== undefined) throw Object.assign(new Error(`${code}: as the disk would`), { code });
  };

  #exit(): void {
    for (const listener of this.#onExit.splice(0)) listener();
  }
}
