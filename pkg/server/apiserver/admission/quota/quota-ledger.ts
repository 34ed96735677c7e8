import { ApiError } from "../../../../api/api-error.ts";
import type { ResourceQuota } from "../../../../api/generated/core-v1.generated.ts";
import {
  type Amounts,
  add,
  amountsOf,
  sameAmounts,
  subtract,
} from "../../../../api/shared/quota/amounts.ts";
import { type ChargedWrite, charge, type RunningQuota } from "./charge.ts";
import type { LimitedResource } from "./configuration.ts";

export interface QuotaLedgerDeps {
  /** The quotas of a namespace, as they are now. */
  quotas(namespace: string): readonly ResourceQuota[];
  /** Stores what is used of a quota; false where the quota is no longer the one that was read. */
  writeUsed(quota: ResourceQuota, used: Amounts): Promise<boolean>;
  now(): number;
  readonly limited: readonly LimitedResource[];
}

/** What a write has taken of each quota, by the quota's name. */
export type Taken = ReadonlyMap<string, Amounts>;

type Entry =
  | {
      readonly type: "take";
      readonly write: ChargedWrite;
      /** Of the quotas that are stored already. */
      readonly taken: Map<string, Amounts>;
      /** Only asks. */
      readonly isDry: boolean;
      readonly answer: (taken: Taken) => void;
      readonly fail: (error: unknown) => void;
      refuse(why: string): ApiError;
    }
  | { readonly type: "give-back"; readonly taken: Taken; readonly answer: () => void };

/** Others write a quota seldom; who still loses after so many tries is told to try again. */
const triesMax = 16;

/**
 * Takes from quotas, and gives back. Who has been given something has it on the disk: in `status.used`, by an
 * optimistic update, before the object itself is stored; so several servers on one store cannot give the same twice.
 * Those who ask while an update of the namespace is under way share the next one: a storm of creations costs
 * few updates, and a creation alone costs one more commit.
 */
export class QuotaLedger {
  readonly #deps: QuotaLedgerDeps;
  /** Who waits for their turn, by namespace; a namespace is here while somebody works on it. */
  readonly #waiting = new Map<string, Entry[]>();
  readonly #works = new Map<string, Promise<void>>();

  constructor(deps: QuotaLedgerDeps) {
    this.#deps = deps;
  }

  /** Takes what a write needs, or says why it cannot have it, as `refuse` makes it an error. A dry run takes nothing. */
  take(
    namespace: string,
    write: ChargedWrite,
    refuse: (why: string) => ApiError,
    isDry: boolean,
  ): Promise<Taken> {
    return new Promise((answer, fail) =>
      this.#enter(namespace, {
        type: "take",
        write,
        taken: new Map(),
        isDry,
        answer,
        fail,
        refuse,
      }),
    );
  }

  /** Gives back what was taken for a write that came to nothing. */
  giveBack(namespace: string, taken: Taken): Promise<void> {
    return new Promise((answer) => this.#enter(namespace, { type: "give-back", taken, answer }));
  }

  /** Resolves when nobody works on the namespace. */
  async idle(namespace: string): Promise<void> {
    for (;;) {
      const work = this.#works.get(namespace);
      if (work === undefined) return;
      await work;
    }
  }

  #enter(namespace: string, entry: Entry): void {
    const waiting = this.#waiting.get(namespace);
    if (waiting !== undefined) {
      waiting.push(entry);
      return;
    }
    this.#waiting.set(namespace, [entry]);
    this.#works.set(namespace, this.#work(namespace));
  }

  async #work(namespace: string): Promise<void> {
    for (;;) {
      const entries = this.#waiting.get(namespace) ?? [];
      if (entries.length === 0) break;
      this.#waiting.set(namespace, []);
      await this.#settle(namespace, entries);
    }
    this.#waiting.delete(namespace);
    this.#works.delete(namespace);
  }

  /** Answers every entry. */
  async #settle(namespace: string, entries: readonly Entry[]): Promise<void> {
    const open = new Set(entries);
    let left: ReadonlySet<string> | undefined;
    try {
      for (let tries = 1; open.size > 0; tries += 1) {
        left = await this.#try(namespace, open, left);
        if (left.size === 0) break;
        if (tries === triesMax) {
          throw new ApiError(
            "InternalError",
            "the quota is written by others all the time; try again",
          );
        }
      }
      for (const entry of open) answer(entry);
    } catch (caught) {
      for (const entry of open) {
        if (entry.type === "take") entry.fail(caught);
        else entry.answer();
      }
    }
  }

  /** One round: decides for all who are open, and stores what that comes to. Returns the quotas that others wrote meanwhile. */
  async #try(
    namespace: string,
    open: Set<Entry>,
    only: ReadonlySet<string> | undefined,
  ): Promise<ReadonlySet<string>> {
    const quotas = this.#deps
      .quotas(namespace)
      .filter(({ metadata }) => only?.has(metadata.name) !== false)
      .map((quota): RunningQuota => ({ quota, used: amountsOf(quota.status?.used) }));
    for (const entry of open) {
      if (entry.type === "give-back") apply(quotas, entry.taken, subtract);
    }
    const round = new Map<Entry, Taken>();
    for (const entry of open) {
      if (entry.type !== "take") continue;
      const charged = charge(quotas, entry.write, this.#deps.now(), this.#deps.limited);
      if (charged.outcome === "refused") {
        open.delete(entry);
        entry.fail(entry.refuse(charged.why));
        // What other quotas gave in an earlier round waits for the next turn.
        const { taken } = entry;
        if (taken.size > 0) {
          this.#waiting.get(namespace)?.push({ type: "give-back", taken, answer: () => {} });
        }
        continue;
      }
      if (entry.isDry) continue;
      apply(quotas, charged.of, add);
      round.set(entry, charged.of);
    }
    const lost = new Set<string>();
    for (const { quota, used } of quotas) {
      if (sameAmounts(used, amountsOf(quota.status?.used))) continue;
      if (!(await this.#deps.writeUsed(quota, used))) lost.add(quota.metadata.name);
    }
    for (const [entry, taken] of round) {
      if (entry.type !== "take") continue;
      for (const [name, amounts] of taken) if (!lost.has(name)) entry.taken.set(name, amounts);
    }
    return lost;
  }
}

function answer(entry: Entry): void {
  if (entry.type === "take") entry.answer(entry.taken);
  else entry.answer();
}

function apply(
  quotas: readonly RunningQuota[],
  taken: Taken,
  change: (used: Amounts, amounts: Amounts) => Amounts,
): void {
  for (const running of quotas) {
    const amounts = taken.get(running.quota.metadata.name);
    if (amounts !== undefined) running.used = change(running.used, amounts);
  }
}
