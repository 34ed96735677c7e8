import type { Revision } from "../../pkg/datastore/datastore.ts";
import type {
  Moment,
  Recorded,
  RecordedRead,
  RecordedWatch,
  RecordedWrite,
  SeenEvent,
  SeenState,
} from "./recorded.ts";
import { type Change, Truth } from "./truth.ts";

export interface ValidateOptions {
  /** Under these, a crash may lose what was acknowledged. */
  readonly lossyPrefixes?: readonly string[];
}

/**
 * Every promise of reads, writes and watches that `history` breaks, each as a sentence. The one true order of changes is
 * put together from all that anybody saw; then each observation is held against it.
 */
export function violationsOf(
  history: readonly Recorded[],
  { lossyPrefixes = [] }: ValidateOptions = {},
): readonly string[] {
  const truth = new Truth(history, lossyPrefixes);
  const violations = [...truth.violations];
  const break_ = (sentence: string) => violations.push(sentence);
  checkOrder(history, break_);
  for (const one of history) {
    if (one.what === "write") checkWrite(one, truth, break_);
    else if (one.what === "read") checkRead(one, truth, break_);
    else if (one.what === "watch") checkWatch(one, truth, break_);
  }
  return violations;
}

type Break = (sentence: string) => void;

/** Versions never go back or repeat, whatever crashed; what somebody knew before is in every consistent read after. */
function checkOrder(history: readonly Recorded[], break_: Break): void {
  const seen: { readonly ended: Moment; readonly revision: Revision; readonly view?: string }[] =
    [];
  const asked: { readonly began: Moment; readonly check: () => void }[] = [];
  const floors = new Map<string, Revision>();
  let [acknowledged, shown] = [0, 0];
  for (const one of history) {
    if (one.what === "write") {
      if (typeof one.outcome === "string" || !("written" in one.outcome)) continue;
      const { revision } = one.outcome.written;
      seen.push({ ended: one.ended, revision });
      const check = () => {
        if (revision > Math.max(acknowledged, shown)) return;
        const before = Math.max(acknowledged, shown);
        break_(`the ${one.did} of ${one.key} got revision ${revision} after ${before} was known`);
      };
      asked.push({ began: one.began, check });
    } else if (one.what === "read" && one.outcome !== "expired") {
      const { revision } = one.outcome;
      seen.push({ ended: one.ended, revision, view: one.view });
      if (one.mode.type !== "consistent") continue;
      const check = () => {
        const floor = Math.max(acknowledged, floors.get(one.view) ?? 0);
        if (revision < floor)
          break_(
            `a consistent read of ${one.view} is at revision ${revision}, older than ${floor}, which was known before it began`,
          );
      };
      asked.push({ began: one.began, check });
    } else if (one.what === "watch") {
      for (const step of one.steps)
        if (step.type === "events")
          seen.push({ ended: step.at, revision: step.upTo, view: one.view });
    } else if (one.what === "opening") {
      const { revision, at } = one;
      const check = () => {
        const floor = Math.max(acknowledged, shown);
        if (revision < floor)
          break_(
            `a store that was opened again is at revision ${revision}, but ${floor} was seen before`,
          );
      };
      asked.push({ began: at, check });
    }
  }
  seen.sort((a, b) => a.ended - b.ended);
  asked.sort((a, b) => a.began - b.began);
  let next = 0;
  for (const { began, check } of asked) {
    for (; next < seen.length; next++) {
      const one = seen[next];
      if (one === undefined || one.ended >= began) break;
      if (one.view === undefined) acknowledged = Math.max(acknowledged, one.revision);
      else floors.set(one.view, Math.max(floors.get(one.view) ?? 0, one.revision));
      shown = Math.max(shown, one.revision);
    }
    check();
  }
}

/** Of racing writes exactly one wins; one that conflicts tells what is there; one that was refused leaves nothing. */
function checkWrite(write: RecordedWrite, truth: Truth, break_: Break): void {
  const { did, key, expected, outcome, value } = write;
  if (outcome === "unknown") return;
  if (outcome === "refused") {
    const there = truth.changes.find((one) => one.key === key && one.value === value);
    if (did !== "delete" && there !== undefined)
      break_(
        `the ${did} of ${key} to "${value}" was refused, but is there at revision ${there.revision}`,
      );
    return;
  }
  if ("conflict" in outcome) {
    const { conflict } = outcome;
    if (
      did === "create"
        ? conflict === undefined
        : expected !== undefined && conflict?.revision === expected
    )
      break_(`a ${did} of ${key} conflicted with ${told(conflict)}, which is what it expected`);
    if (conflict !== undefined) checkState(conflict, truth, `a conflict over ${key}`, break_);
    return;
  }
  const { revision } = outcome.written;
  const before = truth.before(key, revision);
  const wanted = did === "create" ? undefined : (expected ?? before?.revision);
  if (before?.revision !== wanted)
    break_(
      `the ${did} of ${key} at revision ${revision} expected ${wanted ?? "nothing"} but replaced ${told(before)}`,
    );
  if (did !== "delete") checkState(outcome.written, truth, `the ${did} of ${key}`, break_);
}

function checkRead(read: RecordedRead, truth: Truth, break_: Break): void {
  const { view, prefix, mode, outcome } = read;
  const name = `a read (${mode.type}) of ${view} ${prefix}*`;
  if (outcome === "expired") {
    if (mode.type !== "exact") break_(`${name} expired`);
    return;
  }
  const { revision, states } = outcome;
  if (mode.type === "exact" && revision !== mode.at)
    break_(`${name} at ${mode.at} is at revision ${revision}`);
  if (mode.type === "not older" && revision < mode.than)
    break_(`${name} than ${mode.than} is at revision ${revision}`);
  const keys = states.map(({ key }) => key);
  if (keys.some((key, index) => index > 0 && key <= (keys[index - 1] ?? "")))
    break_(`${name} is not in the order of keys: ${keys.join(", ")}`);
  const found = new Map(states.map((state) => [state.key, state]));
  for (const state of truth.statesAt(prefix, revision)) {
    const shown = found.get(state.key);
    if (shown?.revision !== state.revision)
      break_(
        `${name} at revision ${revision} shows ${state.key} as ${told(shown)} instead of ${told(state)}`,
      );
  }
  for (const state of states) {
    if (truth.at(state.key, revision) === undefined)
      break_(`${name} at revision ${revision} shows ${told(state)}, but ${state.key} is not there`);
    checkState(state, truth, name, break_);
  }
}

function checkState(seen: SeenState, truth: Truth, where: string, break_: Break): void {
  const so = truth.at(seen.key, seen.revision);
  if (so === undefined || so.revision !== seen.revision) return;
  if (so.value !== seen.value) break_(`${where} shows ${told(seen)}, but others ${told(so)}`);
  if (seen.createRevision !== undefined && seen.createRevision !== so.createRevision)
    break_(
      `${where} says that ${told(seen)} was created at ${seen.createRevision} instead of ${so.createRevision}`,
    );
}

/** Ordered, each once, none missing up to where it says it has come, and each as it was. */
function checkWatch(watch: RecordedWatch, truth: Truth, break_: Break): void {
  const { view, prefix, after } = watch;
  const name = `a watch of ${view} ${prefix}* after ${after}`;
  let reached = after;
  for (const step of watch.steps) {
    if (step.type === "expired") {
      if (step.oldest <= reached)
        break_(`${name} expired at ${reached}, though history reaches back to ${step.oldest}`);
      continue;
    }
    if (step.upTo < reached) break_(`${name} goes back from ${reached} to ${step.upTo}`);
    const expected = eventsBetween(watch, truth, reached, step.upTo);
    const wanted = expected.map(tell);
    const actual = step.events.map(tell);
    const missing = wanted.filter((one) => !actual.includes(one));
    const strange = actual.filter(
      (one, index) => !wanted.includes(one) || actual.indexOf(one) !== index,
    );
    for (const one of missing) break_(`${name} misses ${one} between ${reached} and ${step.upTo}`);
    for (const one of strange)
      break_(`${name} tells ${one} between ${reached} and ${step.upTo}, wrongly or again`);
    if (missing.length === 0 && strange.length === 0 && actual.join() !== wanted.join())
      break_(`${name} is out of order: ${actual.join(", ")}`);
    for (const [index, event] of expected.entries()) {
      const other = step.events[index];
      if (other?.previous !== undefined && other.previous.revision !== event.previous?.revision)
        break_(
          `${name} tells of ${tell(event)} that it replaced ${told(other.previous)} instead of ${told(event.previous)}`,
        );
    }
    reached = step.upTo;
  }
}

/** What a watch must tell of the changes after `after` up to and including `upTo`. */
function eventsBetween(
  { prefix, selects = () => true }: RecordedWatch,
  truth: Truth,
  after: Revision,
  upTo: Revision,
): SeenEvent[] {
  const events: SeenEvent[] = [];
  for (const change of truth.changesBetween(after, upTo)) {
    if (!change.key.startsWith(prefix)) continue;
    const event = eventOf(change, truth, selects);
    if (event !== undefined) events.push(event);
  }
  return events;
}

function eventOf(
  { type, key, revision, value }: Change,
  truth: Truth,
  selects: (value: string) => boolean,
): SeenEvent | undefined {
  const before = truth.before(key, revision);
  const was = before !== undefined && selects(before.value);
  const is = type === "put" && selects(value);
  const current = { key, revision, value };
  if (was && !is)
    return { type: "deleted", current: { ...current, value: before.value }, previous: before };
  if (!is) return undefined;
  return was ? { type: "modified", current, previous: before } : { type: "added", current };
}

function tell({ type, current }: SeenEvent): string {
  return `${type} ${told(current)}`;
}

function told(state: SeenState | undefined): string {
  return state === undefined ? "nothing" : `${state.key}="${state.value}"@${state.revision}`;
}
