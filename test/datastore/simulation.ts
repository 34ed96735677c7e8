import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { KubernetesObject } from "../../pkg/api/object.ts";
import { type Logger, silentLogger } from "../../pkg/base/log.ts";
import {
  type Datastore,
  DatastoreError,
  type Durability,
  type Revision,
  type StoredValue,
  type WatchItem,
} from "../../pkg/datastore/datastore.ts";
import { openMemoryDatastore } from "../../pkg/datastore/memory/memory-datastore.ts";
import type { FileStep } from "../../pkg/datastore/sqlite/file-step.ts";
import { openSqliteDatastore } from "../../pkg/datastore/sqlite/sqlite-datastore.ts";
import type { HubWriteResult, StoredObject } from "../../pkg/server/apiserver/hub.ts";
import { type OpenHub, openHub } from "../../pkg/server/apiserver/hub-store.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { faultyStore, type StoreFaults } from "./faulty-store.ts";
import { Random } from "./random.ts";
import type {
  Recorded,
  RecordedOpening,
  RecordedRead,
  RecordedWatch,
  RecordedWrite,
  SeenState,
} from "./recorded.ts";
import { SimulatedProcess, type ThreadFaults } from "./simulated-process.ts";
import { violationsOf } from "./validate.ts";

/** Everything that can be planted: `revisionFallsAfterCompaction` is done to what a crash leaves. */
export interface PlantedFaults extends ThreadFaults, StoreFaults {
  readonly revisionFallsAfterCompaction?: boolean;
}

export interface SimulationOptions {
  readonly seed: number;
  readonly driver: "memory" | "sqlite";
  /** Empty, and the simulation's own. */
  readonly directory: string;
  readonly steps?: number;
  readonly faults?: PlantedFaults;
}

export interface SimulationResult {
  readonly history: readonly Recorded[];
  readonly violations: readonly string[];
  readonly reached: ReadonlySet<FileStep>;
  readonly crashes: readonly string[];
}

/** A world of random clients, watchers, slow disks and crashes; the same seed is the same run. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  return await new Simulation(options).run();
}

const resources = [
  { prefix: "configmaps/", keys: 6, durability: "durable" },
  { prefix: "events/", keys: 3, durability: "lazy" },
  { prefix: "leases/", keys: 2, durability: "at-close" },
] as const;
const lossyPrefixes = ["events/", "leases/"];

const fileSteps: readonly (FileStep | "any")[] = [
  ...(["any", "any", "commit: begun", "commit: written", "commit: forgotten"] as const),
  ...(["commit: whole", "commit: done", "checkpoint: begun", "checkpoint: done"] as const),
  ...(["close: noted", "close: emptied", "room: emptied", "room: forgotten"] as const),
];
const closingSteps: readonly FileStep[] = [
  ...(["commit: written", "commit: whole", "close: noted", "close: emptied"] as const),
];
const openingSteps: readonly FileStep[] = [
  ...([
    "open: made",
    "open: named",
    "open: prepared",
    "open: tables",
    "open: checked",
    "open: noted",
  ] as const),
];

const crowdedFileBytes = 300_000;
const crowdedBytes = 40_000;

interface SimulatedObject extends KubernetesObject {
  readonly data: { readonly value: string; readonly padding: string };
}

interface Watcher {
  readonly recorded: RecordedWatch;
  /** How likely it reads on when it is its turn. */
  readonly eagerness: number;
  state: "idle" | "reading" | "ended";
  readOn(): Promise<void>;
  /** Notes how far it has come without having been told of anything. */
  finish(): void;
  stop(): void;
}

/** One life of the store and the hub over it. */
interface Life {
  readonly process: SimulatedProcess | undefined;
  readonly store: Datastore;
  readonly hub: OpenHub;
  readonly watchers: Watcher[];
  readonly pending: Set<Promise<void>>;
  over: boolean;
}

interface Paging {
  readonly life: Life;
  readonly prefix: string;
  readonly revision: Revision;
  readonly states: SeenState[];
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #clock = new ManualClock();
  readonly #history: Recorded[] = [];
  readonly #violations: string[] = [];
  readonly #reached = new Set<FileStep>();
  readonly #crashes: string[] = [];
  readonly #historyLimits: { readonly eventsMax: number };
  /** In some worlds objects are large and the file is small. */
  readonly #crowded: boolean;
  /** What clients have seen of each key: stale expectations are taken from here. */
  readonly #remembered = new Map<string, Revision[]>();
  readonly #revisions: Revision[] = [0];
  #pagings: Paging[] = [];
  #directory: string;
  #directories = 0;
  #lostAtClose = false;
  #moment = 0;
  #writes = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#directory = join(options.directory, "0");
    this.#historyLimits = { eventsMax: this.#random.pick([12, 40, 200]) };
    this.#crowded = this.#random.chance(0.3);
    mkdirSync(this.#directory, { recursive: true });
  }

  async run(): Promise<SimulationResult> {
    let life = await this.#begin(undefined);
    for (let step = 0; step < (this.#options.steps ?? 160); step++) {
      await this.#step(life);
      if (life.process?.diedAt !== undefined) life = await this.#comeBack(life, "crash");
      else if (this.#random.chance(0.015) && life.process !== undefined)
        life = await this.#closeAndOpen(life);
    }
    await this.#calm(life);
    if (life.process?.diedAt !== undefined) life = await this.#comeBack(life, "crash");
    life = life.process === undefined ? life : await this.#closeAndOpen(life);
    await this.#calm(life);
    await this.#end(life);
    const violations = [...this.#violations, ...violationsOf(this.#history, { lossyPrefixes })];
    return { history: this.#history, violations, reached: this.#reached, crashes: this.#crashes };
  }

  async #step(life: Life): Promise<void> {
    const random = this.#random;
    const { process } = life;
    const action = random.weighted({
      write: 30,
      race: 4,
      read: 12,
      page: 6,
      watch: 6,
      stop: 2,
      pull: 24,
      disk: process === undefined ? 0 : 40,
      time: 6,
      compact: 2,
      doom: process === undefined ? 0 : 3,
      kill: process === undefined ? 0 : 1,
      failDisk: process === undefined ? 0 : 1,
    });
    switch (action) {
      case "write":
        this.#write(life, this.#key());
        break;
      case "race":
        this.#race(life);
        break;
      case "read":
        await this.#read(life);
        break;
      case "page":
        this.#page(life);
        break;
      case "watch":
        this.#watch(life);
        break;
      case "stop":
        if (life.watchers.length > 0) random.pick(life.watchers).stop();
        break;
      case "pull":
        for (const watcher of life.watchers)
          if (random.chance(watcher.eagerness)) await watcher.readOn();
        break;
      case "disk":
        await process?.deliverRequests(1 + random.below(4));
        if (random.chance(0.7)) await process?.deliverReports(1 + random.below(4));
        break;
      case "time":
        await this.#clock.advance(random.pick([1, 500, 2_000, 15_000, 60_000]));
        break;
      case "compact":
        await this.#compact(life);
        break;
      case "doom":
        if (process !== undefined)
          process.doom = { step: random.pick(fileSteps), survives: random.below(4) };
        break;
      case "kill":
        process?.kill();
        break;
      case "failDisk":
        process?.diskErrors.push(...random.pick([["EIO"], ["ENOSPC"], ["EIO", "EIO", "EIO"]]));
        break;
    }
    await settle();
  }

  #key(): { key: string; durability: Durability } {
    const { prefix, keys, durability } = this.#random.pick(resources);
    return { key: `${prefix}ns/${this.#random.below(keys)}`, durability };
  }

  #write(life: Life, { key, durability }: { key: string; durability: Durability }): void {
    const random = this.#random;
    const current = life.hub.get(key)?.revision;
    const known = this.#remembered.get(key) ?? [];
    const stale = known.length > 0 && random.chance(0.2);
    const expected = stale ? random.pick(known) : current;
    const did = expected === undefined ? "create" : random.chance(0.3) ? "delete" : "update";
    this.#start(life, did, key, expected, durability);
  }

  /** Several clients that have all read the same. */
  #race(life: Life): void {
    const { key, durability } = this.#key();
    const expected = life.hub.get(key)?.revision;
    for (let client = 0; client < 4; client++) {
      const did =
        expected === undefined ? "create" : this.#random.chance(0.3) ? "delete" : "update";
      this.#start(life, did, key, expected, durability);
    }
  }

  #start(
    life: Life,
    did: RecordedWrite["did"],
    key: string,
    expected: Revision | undefined,
    durability: Durability,
  ): void {
    const value = `w${++this.#writes}`;
    const record: RecordedWrite = {
      what: "write",
      did,
      key,
      value,
      expected,
      began: ++this.#moment,
      ended: Number.POSITIVE_INFINITY,
      outcome: "unknown",
    };
    this.#history.push(record);
    const padding = this.#crowded ? "x".repeat(this.#random.below(crowdedBytes)) : "";
    const writing = writeTo(life.hub, record, padding, durability).then(
      (result) => {
        if (life.over || life.process?.diedAt !== undefined) return;
        record.ended = ++this.#moment;
        record.outcome = outcomeOf(result);
        if (result.outcome === "written") this.#remember(key, result.stored.revision);
      },
      (error) => {
        if (life.over || life.process?.diedAt !== undefined) return;
        if (!(error instanceof DatastoreError)) throw error;
        record.ended = ++this.#moment;
        record.outcome = "refused";
      },
    );
    life.pending.add(writing);
    void writing.finally(() => life.pending.delete(writing));
  }

  #remember(key: string, revision: Revision): void {
    const known = this.#remembered.get(key) ?? [];
    this.#remembered.set(key, [...known, revision].slice(-4));
    this.#revisions.push(revision);
  }

  async #read(life: Life): Promise<void> {
    const random = this.#random;
    const prefix = this.#prefix();
    const began = ++this.#moment;
    if (random.chance(0.5)) {
      const at = random.chance(0.4) ? this.#pastRevision(life.hub.revision) : undefined;
      const result = life.hub.list({ prefix }, at);
      this.#noteRead("hub", prefix, at, began, {
        ...(result.outcome === "expired" ? { expired: true } : result),
        states:
          result.outcome === "expired" ? [] : result.objects.map((one) => this.#seenObject(one)),
      });
      return;
    }
    const current = await life.store.currentRevision();
    const at = random.chance(0.4) ? this.#pastRevision(current) : undefined;
    const result = await life.store.list({ prefix, limit: 1_000 }, at);
    this.#noteRead("store", prefix, at, began, {
      ...(result.outcome === "expired" ? { expired: true } : result),
      states: result.outcome === "expired" ? [] : result.values.map(seenStored),
    });
  }

  #noteRead(
    view: string,
    prefix: string,
    at: Revision | undefined,
    began: number,
    found: {
      readonly expired?: boolean;
      readonly revision?: Revision;
      readonly states: SeenState[];
    },
  ): void {
    const { revision, states } = found;
    const read: RecordedRead = {
      what: "read",
      view,
      prefix,
      mode: at === undefined ? { type: "consistent" } : { type: "exact", at },
      began,
      ended: ++this.#moment,
      outcome: revision === undefined ? "expired" : { revision, states },
    };
    this.#history.push(read);
  }

  /** One page of a list that was begun earlier, or the first of a new one. */
  #page(life: Life): void {
    const began = ++this.#moment;
    this.#pagings = this.#pagings.filter((paging) => paging.life === life);
    const paging = this.#random.chance(0.6) ? this.#pagings[0] : undefined;
    const prefix = paging?.prefix ?? this.#random.pick(resources).prefix;
    const last = paging?.states.at(-1);
    const page = life.hub.list(
      { prefix, limit: 2, ...(last === undefined ? {} : { startAfter: last.key }) },
      paging?.revision,
    );
    if (paging !== undefined) this.#pagings = this.#pagings.filter((one) => one !== paging);
    if (page.outcome === "expired") return;
    const states = [...(paging?.states ?? []), ...page.objects.map((one) => this.#seenObject(one))];
    const { revision } = page;
    if (page.hasMore) this.#pagings.push({ life, prefix, revision, states });
    else this.#noteRead("hub", prefix, revision, began, { revision, states });
  }

  #watch(life: Life): void {
    const random = this.#random;
    const viaHub = random.chance(0.5);
    const prefix = viaHub || random.chance(0.6) ? this.#prefix() : "";
    const after = random.chance(0.5) ? this.#pastRevision(life.hub.revision) : life.hub.revision;
    this.#watchFrom(life, viaHub ? "hub" : "store", prefix, after);
  }

  #watchFrom(life: Life, view: "hub" | "store", prefix: string, after: Revision): void {
    const recorded: RecordedWatch = { what: "watch", view, prefix, after, steps: [] };
    this.#history.push(recorded);
    const watcher =
      view === "hub" ? this.#hubWatcher(life, recorded) : this.#storeWatcher(life, recorded);
    life.watchers.push(watcher);
  }

  #hubWatcher(life: Life, recorded: RecordedWatch): Watcher {
    const isOver = () => life.over || life.process?.diedAt !== undefined;
    const watcher: Watcher = {
      recorded,
      eagerness: 0,
      state: "reading",
      readOn: () => Promise.resolve(),
      finish: () => {
        if (watcher.state === "ended" || isOver()) return;
        recorded.steps.push({
          ...{ type: "events", at: ++this.#moment },
          ...{ events: [], upTo: life.hub.revision },
        });
      },
      stop: () => {
        watcher.finish();
        watcher.state = "ended";
        stop();
      },
    };
    const stop = life.hub.watch(recorded.prefix, recorded.after, {
      onEvents: (events, upTo) => {
        if (isOver()) return;
        const seen = events.map(({ type, current, previous }) => ({
          type,
          current: this.#seenObject(current),
          previous: previous === undefined ? undefined : this.#seenObject(previous),
        }));
        recorded.steps.push({ type: "events", at: ++this.#moment, events: seen, upTo });
      },
      onExpired: () => {
        watcher.state = "ended";
        if (isOver()) return;
        // The hub does not say from when on it would not have.
        const oldest = Number.POSITIVE_INFINITY;
        recorded.steps.push({ type: "expired", at: ++this.#moment, oldest });
      },
    });
    return watcher;
  }

  #storeWatcher(life: Life, recorded: RecordedWatch): Watcher {
    const leaving = new AbortController();
    const { prefix, after, steps } = recorded;
    const items = life.store.watch(prefix, after, leaving.signal)[Symbol.asyncIterator]();
    const watcher: Watcher = {
      recorded,
      // Some are starved.
      eagerness: this.#random.pick([1, 0.5, 0.1]),
      state: "idle",
      readOn: async () => {
        if (watcher.state !== "idle") return;
        watcher.state = "reading";
        void items.next().then(
          ({ done, value }) => {
            watcher.state = done === true || value.type === "expired" ? "ended" : "idle";
            if (done !== true && !life.over && life.process?.diedAt === undefined)
              steps.push({ ...seenItem(value), at: ++this.#moment });
          },
          () => {
            watcher.state = "ended";
          },
        );
        await settle();
      },
      finish: () => {},
      stop: () => {
        // Resumed from where it was, by another.
        const reached = steps.at(-1);
        if (watcher.state !== "ended" && this.#random.chance(0.7) && reached?.type === "events")
          this.#watchFrom(life, "store", prefix, reached.upTo);
        watcher.state = "ended";
        leaving.abort();
      },
    };
    return watcher;
  }

  async #compact(life: Life): Promise<void> {
    const current = await life.store.currentRevision();
    await life.store.compact(Math.max(0, current - this.#random.below(20)));
  }

  #prefix(): string {
    const { prefix } = this.#random.pick(resources);
    return this.#random.chance(0.5) ? prefix : `${prefix}ns/`;
  }

  #pastRevision(current: Revision): Revision {
    const known = this.#revisions.filter((revision) => revision <= current);
    return this.#random.pick(known.length > 8 ? known.slice(-20) : [...known, current]);
  }

  /** Everything on its way arrives, and whoever watches reads on to the present. */
  async #calm(life: Life): Promise<void> {
    await life.process?.deliverAll();
    await this.#clock.advance(120_000);
    await life.process?.deliverAll();
    if (life.process?.diedAt !== undefined) return;
    await this.#read(life);
    for (const watcher of [...life.watchers]) {
      for (let turn = 0; turn < 3; turn++) await watcher.readOn();
      watcher.finish();
    }
  }

  async #closeAndOpen(life: Life): Promise<Life> {
    const { process, store, hub } = life;
    if (process === undefined) return life;
    await this.#calm(life);
    if (process.diedAt !== undefined) return await this.#comeBack(life, "crash");
    for (const watcher of life.watchers) watcher.stop();
    await hub[Symbol.asyncDispose]();
    const closing = store[Symbol.asyncDispose]().then(
      () => true,
      () => true,
    );
    let closed = false;
    void closing.then(() => {
      closed = true;
    });
    this.#lostAtClose = false;
    if (this.#random.chance(0.4))
      process.doom = { step: this.#random.pick(closingSteps), survives: this.#random.below(2) };
    while (!closed && process.diedAt === undefined) await process.deliverAll();
    life.over = true;
    if (process.diedAt !== undefined) return await this.#comeBack(life, "crash");
    this.#note(process);
    // Where the disk takes no more, what was kept for the close is lost as in a crash, and the log says so.
    return await this.#begin(this.#lostAtClose ? "crash" : "close");
  }

  async #comeBack(life: Life, after: "crash"): Promise<Life> {
    await this.#end(life);
    return await this.#begin(after);
  }

  /** What of the dead process lives on in this one is let go. */
  async #end(life: Life): Promise<void> {
    life.over = true;
    for (const watcher of life.watchers) {
      watcher.state = "ended";
      watcher.stop();
    }
    const { process } = life;
    if (process !== undefined) {
      if (process.diedAt === undefined) process.kill();
      this.#leaveRemains(process);
      this.#note(process);
      await process.bury();
    }
    await life.hub[Symbol.asyncDispose]();
    void Promise.resolve(life.store[Symbol.asyncDispose]()).catch(() => {});
    await settle();
  }

  #note(process: SimulatedProcess): void {
    for (const step of process.reached) this.#reached.add(step);
    if (process.diedAt !== undefined) this.#crashes.push(process.diedAt);
  }

  #leaveRemains(process: SimulatedProcess): void {
    this.#directory = process.remains;
    if (this.#options.faults?.revisionFallsAfterCompaction !== true) return;
    if (process.diedAt !== "commit: forgotten") return;
    const database = new Database(join(process.remains, "state.db"));
    database.exec(
      "UPDATE meta SET value = (SELECT max(revision) FROM current) WHERE name = 'reserved'",
    );
    database.close();
  }

  async #begin(after: RecordedOpening["after"] | undefined): Promise<Life> {
    const { driver, faults = {} } = this.#options;
    const { process, store: sound } =
      driver === "memory"
        ? { process: undefined, store: this.#openMemory() }
        : await this.#openSqlite();
    const store = faultyStore(sound, faults, () => this.#clock.monotonic());
    if (after !== undefined) {
      const found = await sound.list({ prefix: "", limit: 10_000 });
      if (found.outcome === "expired") throw new Error("the present never expires");
      const { revision } = found;
      const states = found.values.map(seenStored);
      this.#history.push({ what: "opening", after, at: ++this.#moment, revision, states });
      this.#revisions.push(revision);
    }
    const hub = await openHub({
      datastore: store,
      window: { eventsMax: this.#random.pick([10, 1_000]), snapshotsMax: 2 },
    });
    return { process, store, hub, watchers: [], pending: new Set(), over: false };
  }

  #openMemory(): Datastore {
    return openMemoryDatastore({ clock: this.#clock, history: this.#historyLimits });
  }

  async #openSqlite(): Promise<{ process: SimulatedProcess; store: Datastore }> {
    for (;;) {
      const remains = join(this.#options.directory, String(++this.#directories));
      const process = new SimulatedProcess(this.#directory, remains, this.#options.faults);
      if (this.#random.chance(0.2))
        process.doom = { step: this.#random.pick(openingSteps), survives: 0 };
      let store: Datastore | undefined;
      let failure: unknown;
      const opening = openSqliteDatastore({
        file: process.file,
        startThread: process.startThread,
        clock: this.#clock,
        logger: this.#logger(),
        history: this.#historyLimits,
        lazyFlushMs: 5_000,
        logPagesMax: this.#random.pick([8, 2_000]),
        ...(this.#crowded ? { fileBytesMax: crowdedFileBytes } : {}),
      }).then(
        (opened) => {
          store = opened;
        },
        (error) => {
          failure = error;
        },
      );
      while (store === undefined && failure === undefined && process.diedAt === undefined)
        await process.deliverAll();
      if (store !== undefined) return { process, store };
      if (process.diedAt === undefined) throw failure;
      this.#leaveRemains(process);
      this.#note(process);
      await process.bury();
      await opening;
    }
  }

  #logger(): Logger {
    const error = (message: string) => {
      if (message === "lazy writes are lost at close") this.#lostAtClose = true;
    };
    const logger: Logger = { ...silentLogger, error, child: () => logger };
    return logger;
  }

  #seenObject(object: StoredObject): SeenState {
    const { key, revision, createRevision } = object;
    const value = contentOf(object.value);
    const served = JSON.parse(new TextDecoder().decode(object.json));
    if (served.metadata.resourceVersion !== String(revision) || served.data.value !== value)
      this.#violations.push(`${key} at revision ${revision} is served as another version`);
    return { key, revision, createRevision, value };
  }
}

function writeTo(
  hub: OpenHub,
  { did, key, value, expected = 0 }: RecordedWrite,
  padding: string,
  durability: Durability,
): Promise<HubWriteResult> {
  const object: SimulatedObject = {
    kind: "ConfigMap",
    apiVersion: "v1",
    metadata: {
      name: key.slice(key.lastIndexOf("/") + 1),
      uid: value,
      resourceVersion: "",
      creationTimestamp: "2026-03-01T12:00:00Z",
    },
    data: { value, padding },
  };
  if (did === "create") return hub.create(key, object, durability);
  if (did === "update") return hub.update(key, object, expected, durability);
  return hub.delete(key, expected, durability);
}

function outcomeOf(result: HubWriteResult): RecordedWrite["outcome"] {
  if (result.outcome === "written") return { written: seenOf(result.stored) };
  return { conflict: result.current === undefined ? undefined : seenOf(result.current) };
}

function seenOf({ key, revision, createRevision, value }: StoredObject): SeenState {
  return { key, revision, createRevision, value: contentOf(value) };
}

function seenStored({ key, revision, createRevision, value }: StoredValue): SeenState {
  const object = JSON.parse(new TextDecoder().decode(value)) as KubernetesObject;
  return { key, revision, createRevision, value: contentOf(object) };
}

function contentOf(object: KubernetesObject): string {
  return (object as SimulatedObject).data.value;
}

function seenItem(item: WatchItem) {
  if (item.type === "expired") return item;
  const { type, upTo } = item;
  const events = item.events.map(({ type: change, current, previous }) => ({
    type:
      change === "delete"
        ? ("deleted" as const)
        : previous === undefined
          ? ("added" as const)
          : ("modified" as const),
    current: seenStored(current),
    previous: previous === undefined ? undefined : seenStored(previous),
  }));
  return { type, upTo, events };
}
