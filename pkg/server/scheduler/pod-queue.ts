import { backoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import type { Filter } from "./filter.ts";
import type { PodInfo } from "./pod-info.ts";

/** Upstream's: how long a pod that could not be placed waits at least, and at most. */
const podBackoff = { firstMs: 1_000, maxMs: 10_000 };
/** A pod that nothing reconsidered is tried again after this, for the case that a change went unnoticed. */
const unschedulableMaxMs = 300_000;

/** What happened in the cluster. "pod-comes": one was placed, or changed its labels. */
export type Change = "node-changes" | "pod-leaves" | "pod-comes";

const helpedBy: Readonly<Record<Filter["reconsideredWhen"], ReadonlySet<Change>>> = {
  "node-changes": new Set(["node-changes"]),
  "pod-leaves-or-node-changes": new Set(["node-changes", "pod-leaves"]),
  "pods-or-nodes-change": new Set(["node-changes", "pod-leaves", "pod-comes"]),
};

interface Entry {
  info: PodInfo;
  readonly order: number;
  attempts: number;
  /** When the last try was decided. */
  triedAtMs: number;
}

/**
 * The pods that wait for a node, each in one of three places: `active`, to be tried now, most important first;
 * `backoff`, to be tried once their time has come; `unschedulable`, to be tried when something changed that may help.
 */
export class PodQueue {
  readonly #clock: Clock;
  readonly #active = new Heap();
  readonly #waiting = new Map<string, { readonly entry: Entry; readonly cancel: () => void }>();
  readonly #unschedulable = new Map<
    string,
    { readonly entry: Entry; readonly rejectedBy: ReadonlySet<Filter>; readonly cancel: () => void }
  >();
  /** Pods that were taken and neither placed nor given back yet. */
  readonly #taken = new Map<string, { readonly entry: Entry; moves: number }>();
  readonly #known = new Map<string, Entry>();
  #arrivals = 0;
  /** Grows with each change that may help: what happened while a pod was being tried must not be missed. */
  #moves = 0;
  /** Called when a pod became active. */
  onActive: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A pod that needs a node, or a new version of it. `mayHelp`: the change is one to its spec or labels. */
  set(info: PodInfo, mayHelp: boolean): void {
    const entry = this.#known.get(info.uid);
    if (entry === undefined) {
      this.#arrivals += 1;
      const added = { info, order: this.#arrivals, attempts: 0, triedAtMs: 0 };
      this.#known.set(info.uid, added);
      this.#activate(added);
      return;
    }
    entry.info = info;
    if (!mayHelp) return;
    if (this.#taken.has(info.uid)) this.#moves += 1;
    const rejected = this.#unschedulable.get(info.uid);
    if (rejected !== undefined) this.#requeue(rejected.entry);
  }

  /** The pod is placed, or gone. */
  remove(uid: string): void {
    this.#known.delete(uid);
    this.#taken.delete(uid);
    this.#waiting.get(uid)?.cancel();
    this.#waiting.delete(uid);
    this.#unschedulable.get(uid)?.cancel();
    this.#unschedulable.delete(uid);
    // The heap forgets it when it comes up.
  }

  /** The next pod to try. It stays ours until `remove`, `putBack` or `reject`. */
  take(): PodInfo | undefined {
    for (;;) {
      const entry = this.#active.pop();
      if (entry === undefined) return undefined;
      if (this.#known.get(entry.info.uid) !== entry) continue;
      entry.attempts += 1;
      this.#taken.set(entry.info.uid, { entry, moves: this.#moves });
      return entry.info;
    }
  }

  /** The try failed for a reason that has nothing to do with the nodes: again, later. */
  putBack(uid: string): void {
    const taken = this.#take(uid);
    if (taken !== undefined) this.#requeue(taken.entry);
  }

  /** No node would do: again when something changed that concerns one of the filters. */
  reject(uid: string, rejectedBy: ReadonlySet<Filter>): void {
    const taken = this.#take(uid);
    if (taken === undefined) return;
    const { entry, moves } = taken;
    if (moves !== this.#moves) {
      this.#requeue(entry);
      return;
    }
    const cancel = this.#clock.after(unschedulableMaxMs, () => this.#requeue(entry));
    this.#unschedulable.set(uid, { entry, rejectedBy, cancel });
  }

  /** Something changed: the pods it may help are tried again. */
  reconsider(change: Change): void {
    this.#moves += 1;
    for (const { entry, rejectedBy } of [...this.#unschedulable.values()]) {
      if ([...rejectedBy].some(({ reconsideredWhen }) => helpedBy[reconsideredWhen].has(change)))
        this.#requeue(entry);
    }
  }

  close(): void {
    for (const uid of [...this.#known.keys()]) this.remove(uid);
  }

  #take(uid: string): { readonly entry: Entry; readonly moves: number } | undefined {
    const taken = this.#taken.get(uid);
    this.#taken.delete(uid);
    if (taken === undefined || !this.#known.has(uid)) return undefined;
    taken.entry.triedAtMs = this.#clock.monotonic();
    return taken;
  }

  #requeue(entry: Entry): void {
    const { uid } = entry.info;
    this.#unschedulable.get(uid)?.cancel();
    this.#unschedulable.delete(uid);
    const dueMs = entry.triedAtMs + backoffMs(podBackoff, entry.attempts);
    const waitMs = dueMs - this.#clock.monotonic();
    if (waitMs <= 0) {
      this.#activate(entry);
      return;
    }
    const cancel = this.#clock.after(waitMs, () => {
      this.#waiting.delete(uid);
      this.#activate(entry);
    });
    this.#waiting.set(uid, { entry, cancel });
  }

  #activate(entry: Entry): void {
    this.#active.push(entry);
    this.onActive();
  }
}

/** Most important first, then first come first. */
class Heap {
  readonly #entries: Entry[] = [];

  push(entry: Entry): void {
    const entries = this.#entries;
    let index = entries.push(entry) - 1;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = entries[parentIndex];
      if (parent === undefined || !goesBefore(entry, parent)) break;
      entries[index] = parent;
      index = parentIndex;
    }
    entries[index] = entry;
  }

  pop(): Entry | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (first === undefined || last === undefined || entries.length === 0) return first;
    let index = 0;
    for (;;) {
      const leftIndex = 2 * index + 1;
      const left = entries[leftIndex];
      if (left === undefined) break;
      const right = entries[leftIndex + 1];
      const isRight = right !== undefined && goesBefore(right, left);
      const child = isRight ? right : left;
      if (!goesBefore(child, last)) break;
      entries[index] = child;
      index = isRight ? leftIndex + 1 : leftIndex;
    }
    entries[index] = last;
    return first;
  }
}

function goesBefore(a: Entry, b: Entry): boolean {
  return a.info.priority !== b.info.priority
    ? a.info.priority > b.info.priority
    : a.order < b.order;
}
