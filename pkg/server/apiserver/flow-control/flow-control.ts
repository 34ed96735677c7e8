import { ApiError } from "../../../api/api-error.ts";
import type {
  FlowSchemaSpec,
  PriorityLevelConfigurationSpec,
} from "../../../api/generated/flowcontrol-v1.generated.ts";
import type { Clock } from "../../../base/clock.ts";
import type { UserInfo } from "../authn/authenticator.ts";
import { longRunningSubresources } from "../long-running.ts";
import type { RequestInfo } from "../request-info.ts";
import { allotSeats, type SeatBounds, seatBoundsOf } from "./allot-seats.ts";
import { flowSchemaSpecs, priorityLevelSpecs } from "./bootstrap-objects.ts";
import { dealHand } from "./deal-hand.ts";
import { estimateWidth, type Workload } from "./estimate-width.ts";
import { FairQueue, type QueuedRequest } from "./fair-queue.ts";
import { matchesFlowSchema } from "./match-flow-schema.ts";
import { RetryAfter } from "./retry-after.ts";
import { SeatDemand } from "./seat-demand.ts";

/** A stored object, as far as flow control reads it; `uid` is "" for what is only imagined. */
export interface Configured<Spec> {
  readonly name: string;
  readonly uid: string;
  readonly spec: Spec;
}

export type FlowSchemaConfig = Configured<FlowSchemaSpec>;
export type PriorityLevelConfig = Configured<PriorityLevelConfigurationSpec>;

export interface FlowConfiguration {
  readonly flowSchemas: readonly FlowSchemaConfig[];
  readonly priorityLevels: readonly PriorityLevelConfig[];
}

/** What decides where a request waits. */
export interface FlowRequest {
  readonly user: UserInfo;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
}

/** Which objects a request was matched to. Told to its client by their uids, which give no names away. */
export interface FlowClass {
  readonly flowSchemaUid: string;
  readonly priorityLevelUid: string;
}

/** A request's place among those that are served. */
export interface Seat extends FlowClass {
  /** Gives the place to the next; may be called more than once. */
  release(): void;
}

export interface FlowControl {
  /** The request's seat, at once where one is free; TooManyRequests where it cannot have one. */
  seat(request: FlowRequest): Seat | Promise<Seat>;
  configure(configuration: FlowConfiguration): void;
  levels(): readonly LevelReport[];
}

/** How a level stands, for metrics. */
export interface LevelReport {
  readonly name: string;
  readonly waiting: number;
  readonly executing: number;
  readonly seatsInUse: number;
  readonly nominalSeats: number;
  readonly currentSeats: number;
  readonly dispatched: number;
  readonly refused: ReadonlyMap<RefusalReason, number>;
}

export type RefusalReason = "queue-full" | "concurrency-limit" | "time-out" | "cancelled";

/** A refusal, and what it was matched to. */
export class FlowRefusal extends ApiError implements FlowClass {
  readonly flowSchemaUid: string;
  readonly priorityLevelUid: string;

  constructor(flow: FlowClass, retryAfterSeconds: number) {
    super("TooManyRequests", "Too many requests, please try again later.", {
      details: { retryAfterSeconds },
    });
    this.flowSchemaUid = flow.flowSchemaUid;
    this.priorityLevelUid = flow.priorityLevelUid;
  }
}

/** What is configured where nothing is stored. */
export const bootstrapConfiguration: FlowConfiguration = {
  flowSchemas: configured(flowSchemaSpecs),
  priorityLevels: configured(priorityLevelSpecs),
};

function configured<Spec>(specs: Readonly<Record<string, Spec>>): readonly Configured<Spec>[] {
  return Object.entries(specs).map(([name, spec]) => ({ name, uid: "", spec }));
}

export interface FlowControlOptions {
  readonly clock: Clock;
  readonly workload: Workload;
  /** How many seats there are for all that is not exempt. */
  readonly serverSeats?: number;
  /** Nobody waits longer. */
  readonly waitMs?: number;
}

/** As many as kube-apiserver has: 400 for reads and 200 for writes. */
const defaultServerSeats = 600;
/** A quarter of the time that a request may take. */
const defaultWaitMs = 15_000;
const borrowingEveryMs = 10_000;
/** How many flows' hands are remembered. */
const handsMax = 4_096;

/** Queues requests by FlowSchemas and priority levels, as Kubernetes' API Priority and Fairness does. */
export function createFlowControl(options: FlowControlOptions): FlowControl {
  return new Controller(options);
}

/** The demand for a level's seats, smoothed: it rises at once and falls slowly. */
const smoothing = 0.977;

class Level {
  readonly name: string;
  readonly demand: SeatDemand;
  readonly queue: FairQueue;
  readonly retryAfter = new RetryAfter();
  readonly refused = new Map<RefusalReason, number>();
  config: PriorityLevelConfig;
  bounds: SeatBounds = { nominal: 0, lowest: 0, highest: 0 };
  currentSeats = 0;
  /** What one request may take at most; 0: as much as it likes. */
  seatsMax = 0;
  smoothedDemand = 0;
  highestDemand = 0;
  dispatched = 0;
  /** No stored object any more, but requests still. */
  leaving = false;

  constructor(config: PriorityLevelConfig, nowMs: number) {
    this.name = config.name;
    this.config = config;
    this.demand = new SeatDemand(nowMs);
    this.queue = new FairQueue(queueLimitsOf(config), 0, nowMs, (seats, atMs) =>
      this.demand.set(seats, atMs),
    );
  }

  get isExempt(): boolean {
    return this.config.spec.type === "Exempt";
  }

  get isIdle(): boolean {
    return this.queue.waiting === 0 && this.queue.executing === 0;
  }

  get shares(): number {
    const { limited, exempt } = this.config.spec;
    return limited?.nominalConcurrencyShares ?? exempt?.nominalConcurrencyShares ?? 0;
  }

  countRefusal(reason: RefusalReason): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
  }
}

function queueLimitsOf({ spec }: PriorityLevelConfig) {
  const queuing = spec.limited?.limitResponse.queuing;
  return { queues: queuing?.queues ?? 0, queueLengthMax: queuing?.queueLengthLimit ?? 0 };
}

/** A FlowSchema that leads somewhere. */
interface Schema extends FlowClass {
  readonly name: string;
  readonly spec: FlowSchemaSpec;
  readonly level: Level;
}

class Controller implements FlowControl {
  readonly #clock: Clock;
  readonly #workload: Workload;
  readonly #serverSeats: number;
  readonly #waitMs: number;
  readonly #hands = new Map<string, readonly number[]>();
  #levels = new Map<string, Level>();
  #schemas: readonly Schema[] = [];
  #catchAll: Schema | undefined;
  #borrowedAt: number;

  constructor({ clock, workload, serverSeats, waitMs }: FlowControlOptions) {
    this.#clock = clock;
    this.#workload = workload;
    this.#serverSeats = serverSeats ?? defaultServerSeats;
    this.#waitMs = waitMs ?? defaultWaitMs;
    this.#borrowedAt = clock.monotonic();
    this.configure(bootstrapConfiguration);
  }

  seat(request: FlowRequest): Seat | Promise<Seat> {
    const { info } = request;
    // What is meant to last, and is no watch, is not counted.
    if (info.type === "resource" && longRunningSubresources.has(info.subresource)) return uncounted;
    const schema = this.#schemaOf(request);
    const { level } = schema;
    if (level.isExempt) {
      level.dispatched += 1;
      return exemptSeat(schema);
    }
    return this.#limitedSeat(request, schema);
  }

  configure(configuration: FlowConfiguration): void {
    const nowMs = this.#clock.monotonic();
    this.#configureLevels(configuration.priorityLevels, nowMs);
    this.#configureSchemas(configuration.flowSchemas);
    this.#hands.clear();
    this.#divide(nowMs);
  }

  levels(): readonly LevelReport[] {
    return [...this.#levels.values()].map((level) => ({
      name: level.name,
      waiting: level.queue.waiting,
      executing: level.queue.executing,
      seatsInUse: level.queue.seatsInUse,
      nominalSeats: level.bounds.nominal,
      currentSeats: level.currentSeats,
      dispatched: level.dispatched,
      refused: level.refused,
    }));
  }

  #schemaOf({ user, info }: FlowRequest): Schema {
    for (const schema of this.#schemas) {
      if (matchesFlowSchema(schema.spec, user, info)) return schema;
    }
    if (this.#catchAll === undefined) throw new Error("there is no catch-all FlowSchema");
    return this.#catchAll;
  }

  #limitedSeat(request: FlowRequest, schema: Schema): Seat | Promise<Seat> {
    const { level } = schema;
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#borrowedAt >= borrowingEveryMs) this.#borrow(nowMs);
    const width = estimateWidth(request.info, request.query, this.#workload, level.seatsMax);
    const hand = this.#handOf(request, schema);
    const waiter = new Waiter(this.#clock, schema);
    const queued = level.queue.enter(width, hand, waiter.start, nowMs);
    if (queued === undefined) {
      const reason = hand.length === 0 ? "concurrency-limit" : "queue-full";
      throw refuse(level, reason, schema, this.#clock);
    }
    waiter.queued = queued;
    if (queued.state === "executing") return waiter;
    return waiter.wait(request.signal, this.#waitMs);
  }

  #handOf({ user, info }: FlowRequest, { name, spec, level }: Schema): readonly number[] {
    const queuing = level.config.spec.limited?.limitResponse.queuing;
    if (queuing === undefined) return [];
    const flow =
      spec.distinguisherMethod?.type === "ByUser"
        ? user.username
        : spec.distinguisherMethod?.type === "ByNamespace" && info.type === "resource"
          ? info.namespace
          : "";
    const key = `${name}\0${flow}`;
    const known = this.#hands.get(key);
    if (known !== undefined) return known;
    if (this.#hands.size >= handsMax) this.#hands.clear();
    const hand = dealHand(name, flow, queuing.queues, queuing.handSize);
    this.#hands.set(key, hand);
    return hand;
  }

  #configureLevels(configs: readonly PriorityLevelConfig[], nowMs: number): void {
    const next = new Map<string, Level>();
    for (const config of [...configs, ...missing(bootstrapConfiguration.priorityLevels, configs)]) {
      const { spec } = config;
      if ((spec.type === "Exempt") !== (config.name === "exempt")) continue;
      if (spec.type === "Limited" && spec.limited === undefined) continue;
      const level = this.#levels.get(config.name) ?? new Level(config, nowMs);
      level.config = config;
      level.leaving = false;
      next.set(config.name, level);
    }
    for (const level of this.#levels.values()) {
      // Those who wait there are still served.
      if (next.has(level.name) || level.isIdle) continue;
      level.leaving = true;
      next.set(level.name, level);
    }
    this.#levels = next;
  }

  #configureSchemas(configs: readonly FlowSchemaConfig[]): void {
    const sorted = [...configs, ...missing(bootstrapConfiguration.flowSchemas, configs)].sort(
      (one, other) =>
        one.spec.matchingPrecedence - other.spec.matchingPrecedence ||
        (one.name < other.name ? -1 : 1),
    );
    this.#schemas = sorted.flatMap(({ name, uid, spec }): Schema[] => {
      const level = this.#levels.get(spec.priorityLevelConfiguration.name);
      if (level === undefined || level.leaving) return [];
      return [{ name, spec, level, flowSchemaUid: uid, priorityLevelUid: level.config.uid }];
    });
    this.#catchAll = this.#schemas.find(({ name }) => name === "catch-all");
  }

  /** Gives each level its part of the seats, as configured; what is lent comes with time. */
  #divide(nowMs: number): void {
    const levels = [...this.#levels.values()];
    const shareSum = levels.reduce((sum, { shares }) => sum + shares, 0);
    for (const level of levels) {
      const { limited, exempt } = level.config.spec;
      const isNew = level.bounds.nominal === 0;
      level.bounds = seatBoundsOf(this.#serverSeats, shareSum, {
        shares: level.shares,
        lendablePercent: limited?.lendablePercent ?? exempt?.lendablePercent ?? 0,
        borrowingLimitPercent: limited?.borrowingLimitPercent,
      });
      const { nominal, lowest } = level.bounds;
      const handSize = limited?.limitResponse.queuing?.handSize;
      level.seatsMax =
        handSize === undefined
          ? 0
          : Math.max(1, Math.min(Math.ceil(nominal * 0.15), Math.floor(nominal / handSize)));
      if (isNew) level.currentSeats = nominal - Math.trunc((nominal - lowest) / 2);
    }
    this.#borrow(nowMs);
  }

  /** Lends what levels do not want to those who want more. */
  #borrow(nowMs: number): void {
    this.#borrowedAt = nowMs;
    for (const level of [...this.#levels.values()]) {
      if (level.leaving && level.isIdle) this.#levels.delete(level.name);
    }
    const levels = [...this.#levels.values()];
    let seats = 0;
    for (const level of levels) {
      seats += level.bounds.nominal;
      const demand = level.demand.reset(nowMs);
      if (demand === undefined) continue;
      level.highestDemand = Math.round(demand.highest);
      const envelope = demand.average + demand.deviation;
      const fallen = smoothing * level.smoothedDemand + (1 - smoothing) * envelope;
      level.smoothedDemand = Math.max(envelope, fallen);
    }
    const limited = levels.filter(({ isExempt }) => !isExempt);
    const claims = limited.map(({ bounds, highestDemand, smoothedDemand }) => {
      const lowest = Math.max(bounds.lowest, Math.min(bounds.nominal, highestDemand));
      return { lowest, highest: bounds.highest, target: Math.max(lowest, smoothedDemand) };
    });
    const allotted = allotSeats(seats, claims);
    limited.forEach((level, index) => {
      // Without a single one, whoever waits would wait until more is lent.
      level.currentSeats = Math.max(1, Math.round(allotted?.[index] ?? level.currentSeats));
      level.queue.configure(queueLimitsOf(level.config), level.currentSeats, nowMs);
    });
  }
}

/** The mandatory ones that are not among those which are stored. */
function missing<Spec>(
  all: readonly Configured<Spec>[],
  stored: readonly Configured<Spec>[],
): readonly Configured<Spec>[] {
  const names = new Set(stored.map(({ name }) => name));
  return all.filter(({ name }) => (name === "exempt" || name === "catch-all") && !names.has(name));
}

const uncounted: Seat = { flowSchemaUid: "", priorityLevelUid: "", release() {} };

const exemptSeats = new WeakMap<Schema, Seat>();

function exemptSeat(schema: Schema): Seat {
  const known = exemptSeats.get(schema);
  if (known !== undefined) return known;
  const { flowSchemaUid, priorityLevelUid } = schema;
  const seat: Seat = { flowSchemaUid, priorityLevelUid, release() {} };
  exemptSeats.set(schema, seat);
  return seat;
}

function refuse(level: Level, reason: RefusalReason, flow: FlowClass, clock: Clock): FlowRefusal {
  level.countRefusal(reason);
  level.retryAfter.refused(clock.now());
  return new FlowRefusal(flow, level.retryAfter.seconds);
}

/** One request on its way through a level. */
class Waiter implements Seat {
  readonly flowSchemaUid: string;
  readonly priorityLevelUid: string;
  readonly #clock: Clock;
  readonly #level: Level;
  #started: (() => void) | undefined;
  queued: QueuedRequest | undefined;

  constructor(clock: Clock, schema: Schema) {
    this.#clock = clock;
    this.#level = schema.level;
    this.flowSchemaUid = schema.flowSchemaUid;
    this.priorityLevelUid = schema.priorityLevelUid;
  }

  readonly start = (): void => {
    this.#level.dispatched += 1;
    this.#started?.();
  };

  wait(signal: AbortSignal, waitMs: number): Promise<Seat> {
    return new Promise((resolve, reject) => {
      const giveUp = (reason: RefusalReason) => {
        const { queued } = this;
        if (queued === undefined || !this.#level.queue.cancel(queued, this.#clock.monotonic())) {
          return;
        }
        settled();
        reject(refuse(this.#level, reason, this, this.#clock));
      };
      const gone = () => giveUp("cancelled");
      const cancelTimer = this.#clock.after(waitMs, () => giveUp("time-out"));
      const settled = () => {
        cancelTimer();
        signal.removeEventListener("abort", gone);
      };
      this.#started = () => {
        settled();
        resolve(this);
      };
      if (signal.aborted) gone();
      else signal.addEventListener("abort", gone, { once: true });
    });
  }

  release(): void {
    const { queued } = this;
    if (queued === undefined) return;
    this.queued = undefined;
    const { queue } = this.#level;
    const lingerMs = queue.finish(queued, this.#clock.monotonic());
    if (lingerMs === 0) return;
    this.#clock.after(lingerMs, () => queue.release(queued, this.#clock.monotonic()));
  }
}
