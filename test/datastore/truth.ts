import type { Revision } from "../../pkg/datastore/datastore.ts";
import type { Recorded, RecordedOpening, SeenState } from "./recorded.ts";

/** One change of one key, as somebody was told of it. */
export interface Change {
  readonly type: "put" | "delete";
  readonly key: string;
  readonly revision: Revision;
  /** Of a delete: the last value. */
  readonly value: string;
}

interface Version {
  /** From when on the key was so. */
  readonly from: Revision;
  readonly state: SeenState | undefined;
}

/** Each key's states in order, put together from all that anybody saw of them. */
export class Truth {
  readonly violations: string[] = [];
  /** In the order of revisions. */
  readonly changes: readonly Change[];
  readonly #changes = new Map<Revision, Change>();
  readonly #versions = new Map<string, Version[]>();
  /** What the process died over: each a key and the revision that was to be deleted. */
  readonly #unheardDeletes = new Set<string>();
  readonly #lossy: readonly string[];

  constructor(history: readonly Recorded[], lossyPrefixes: readonly string[]) {
    this.#lossy = lossyPrefixes;
    for (const one of history) this.#collect(one);
    this.changes = [...this.#changes.values()].sort((a, b) => a.revision - b.revision);
    this.#replay(history.filter((one) => one.what === "opening"));
  }

  at(key: string, revision: Revision): SeenState | undefined {
    return this.#versions.get(key)?.findLast(({ from }) => from <= revision)?.state;
  }

  before(key: string, revision: Revision): SeenState | undefined {
    return this.#versions.get(key)?.findLast(({ from }) => from < revision)?.state;
  }

  statesAt(prefix: string, revision: Revision): SeenState[] {
    return [...this.#versions.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => this.at(key, revision))
      .filter((state) => state !== undefined);
  }

  changesBetween(after: Revision, upTo: Revision): readonly Change[] {
    return this.changes.filter(({ revision }) => revision > after && revision <= upTo);
  }

  #collect(one: Recorded): void {
    if (one.what === "write") {
      if (one.did === "delete" && one.outcome === "unknown")
        this.#unheardDeletes.add(`${one.key} ${one.expected}`);
      if (typeof one.outcome === "string" || !("written" in one.outcome)) return;
      const type = one.did === "delete" ? "delete" : "put";
      this.#add(type, one.outcome.written, `the ${one.did}`);
    } else if (one.what === "read") {
      if (one.outcome === "expired") return;
      for (const state of one.outcome.states) this.#add("put", state, `a read of ${one.view}`);
    } else if (one.what === "opening") {
      for (const state of one.states) this.#add("put", state, "an opening");
    } else {
      for (const step of one.steps) {
        if (step.type !== "events") continue;
        for (const { type, current } of step.events) {
          // What a selector calls deleted may have been changed.
          if (one.selects !== undefined && type === "deleted") continue;
          this.#add(type === "deleted" ? "delete" : "put", current, `a watch of ${one.view}`);
        }
      }
    }
  }

  #add(type: Change["type"], { key, revision, value }: SeenState, by: string): void {
    const known = this.#changes.get(revision);
    if (known === undefined) {
      this.#changes.set(revision, { type, key, revision, value });
      return;
    }
    if (known.type === type && known.key === key && known.value === value) return;
    this.violations.push(
      `revision ${revision} means two things: to ${by} a ${type} of ${key} "${value}", to others a ${known.type} of ${known.key} "${known.value}"`,
    );
  }

  #replay(openings: readonly RecordedOpening[]): void {
    let next = 0;
    for (const change of this.changes) {
      for (; next < openings.length; next++) {
        const opening = openings[next];
        if (opening === undefined || opening.revision >= change.revision) break;
        this.#reopen(opening);
      }
      this.#apply(change);
    }
    for (const opening of openings.slice(next)) this.#reopen(opening);
  }

  #apply({ type, key, revision, value }: Change): void {
    const before = this.at(key, revision);
    if (type === "put") {
      const createRevision = before?.createRevision ?? revision;
      this.#push(key, revision, { key, revision, createRevision, value });
      return;
    }
    if (before?.value !== value)
      this.violations.push(
        `the delete of ${key} at revision ${revision} tells "${value}", but there was ${before === undefined ? "nothing" : `"${before.value}"`}`,
      );
    this.#push(key, revision, undefined);
  }

  /** Takes the store as it was found, where it could have come to be so. */
  #reopen({ after, revision, states }: RecordedOpening): void {
    const found = new Map(states.map((state) => [state.key, state]));
    for (const key of new Set([...this.#versions.keys(), ...found.keys()])) {
      const expected = this.at(key, revision);
      const actual = found.get(key);
      if (expected?.revision === actual?.revision) continue;
      if (after !== "crash" || !this.#mayBe(key, expected, actual))
        this.violations.push(
          `after a ${after}, ${key} is at ${actual?.revision ?? "nothing"} instead of ${expected?.revision ?? "nothing"}: something acknowledged is lost`,
        );
      this.#push(key, revision, actual);
    }
  }

  #mayBe(key: string, expected: SeenState | undefined, actual: SeenState | undefined): boolean {
    if (this.#lossy.some((prefix) => key.startsWith(prefix)))
      return (
        actual === undefined ||
        this.#versions.get(key)?.some(({ state }) => state?.revision === actual.revision) === true
      );
    return actual === undefined && this.#unheardDeletes.has(`${key} ${expected?.revision}`);
  }

  #push(key: string, from: Revision, state: SeenState | undefined): void {
    const versions = this.#versions.get(key) ?? [];
    versions.push({ from, state });
    this.#versions.set(key, versions);
  }
}
