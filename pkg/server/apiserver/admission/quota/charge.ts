import type {
  ResourceQuota,
  ScopedResourceSelectorRequirement,
} from "../../../../api/generated/core-v1.generated.ts";
import type { KubernetesObject } from "../../../../api/object.ts";
import {
  type Amounts,
  add,
  amountsOf,
  exceeding,
  masked,
  printAmounts,
  subtract,
  withoutZeros,
} from "../../../../api/shared/quota/amounts.ts";
import { isInScopes, scopesOf } from "../../../../api/shared/quota/count-usage.ts";
import type { QuotaEvaluator } from "../../../../api/shared/quota/evaluator.ts";
import type { LimitedResource } from "./configuration.ts";

/** A quota with what is used of it by now. */
export interface RunningQuota {
  readonly quota: ResourceQuota;
  used: Amounts;
}

/** A write, as quotas see it. */
export interface ChargedWrite {
  readonly evaluator: QuotaEvaluator;
  readonly resource: { readonly group: string; readonly plural: string };
  /** A status tells what is so already: it is counted, never refused. */
  readonly isStatus: boolean;
  readonly object: KubernetesObject;
  /** Undefined for a creation. */
  readonly previous: KubernetesObject | undefined;
}

export type Charge =
  /** What the write takes of each quota, by the quota's name; none where it takes nothing. */
  | { readonly outcome: "taken"; readonly of: ReadonlyMap<string, Amounts> }
  | { readonly outcome: "refused"; readonly why: string };

/** Decides whether a write fits into every quota that it counts against, and what it takes of each. Pure. */
export function charge(
  quotas: readonly RunningQuota[],
  write: ChargedWrite,
  nowMs: number,
  limited: readonly LimitedResource[] = [],
): Charge {
  const { evaluator, object, previous } = write;
  const concerned: RunningQuota[] = [];
  for (const running of quotas) {
    if (!counts(running.quota, evaluator, object)) continue;
    const why = unfit(running, evaluator, object);
    if (why !== undefined) return { outcome: "refused", why };
    concerned.push(running);
  }
  const usage = evaluator.usage(object, nowMs);
  const negative = [...usage].filter(([, { nanos }]) => nanos < 0n).map(([name]) => name);
  if (negative.length > 0) {
    const why = `quota usage is negative for resource(s): ${negative.sort().join(",")}`;
    return { outcome: "refused", why };
  }
  const taken = new Map<string, Amounts>();
  const before = previous === undefined ? undefined : evaluator.usage(previous, nowMs);
  const moreThanBefore = before === undefined ? usage : subtract(usage, before);
  // An object that counted before is charged for what it takes more; what it gives back is counted later.
  const moreOf = ({ quota }: RunningQuota): Amounts =>
    previous !== undefined && counts(quota, evaluator, previous) ? moreThanBefore : usage;
  const takes = concerned.length === 0 ? [moreThanBefore] : concerned.map(moreOf);
  if (takes.some((more) => withoutZeros(more).size > 0)) {
    const why = uncovered(quotas, concerned, write, usage, limited);
    if (why !== undefined) return { outcome: "refused", why };
  }
  for (const running of concerned) {
    const { quota } = running;
    const more = moreOf(running);
    const hard = amountsOf(quota.status?.hard);
    const requested = masked(withoutZeros(more), new Set(hard.keys()));
    if (requested.size === 0) continue;
    const why = write.isStatus ? undefined : excess(running, requested, hard);
    if (why !== undefined) return { outcome: "refused", why };
    taken.set(quota.metadata.name, requested);
  }
  return { outcome: "taken", of: taken };
}

function counts(
  quota: ResourceQuota,
  evaluator: QuotaEvaluator,
  object: KubernetesObject,
): boolean {
  const names = Object.keys(quota.status?.hard ?? {});
  return (
    names.some((name) => evaluator.counts(name)) && isInScopes(evaluator, object, scopesOf(quota))
  );
}

/** Why an object cannot be counted: it does not say enough, or nobody has counted the others yet. */
function unfit(
  { quota, used }: RunningQuota,
  evaluator: QuotaEvaluator,
  object: KubernetesObject,
): string | undefined {
  const { name } = quota.metadata;
  const counted = Object.keys(quota.status?.hard ?? {}).filter((each) => evaluator.counts(each));
  const problem = evaluator.problem?.(object, counted);
  if (problem !== undefined) return `failed quota: ${name}: ${problem}`;
  if (counted.every((each) => used.has(each))) return undefined;
  return `status unknown for quota: ${name}, resources: ${counted.sort().join(",")}`;
}

/** Why something may not be had that is only for those whose quota covers it. */
function uncovered(
  quotas: readonly RunningQuota[],
  concerned: readonly RunningQuota[],
  { evaluator, object, resource }: ChargedWrite,
  usage: Amounts,
  limited: readonly LimitedResource[],
): string | undefined {
  const parts = limited
    .filter((each) => each.apiGroup === resource.group && each.resource === resource.plural)
    .flatMap((each) => each.matchContains);
  const covered = new Set(concerned.flatMap(({ quota }) => Object.keys(quota.status?.hard ?? {})));
  const names = [...usage]
    .filter(([name, { nanos }]) => nanos > 0n && parts.some((part) => name.includes(part)))
    .map(([name]) => name)
    .filter((name) => !covered.has(name));
  if (names.length > 0) return `insufficient quota to consume: ${names.sort().join(",")}`;
  const isIn = (scope: ScopedResourceSelectorRequirement) =>
    evaluator.isInScope?.(object, scope) === true;
  const coveredScopes = new Set(
    quotas.flatMap(({ quota }) => scopesOf(quota).filter(isIn)).map(({ scopeName }) => scopeName),
  );
  const scopes = limited
    .flatMap(({ matchScopes }) => matchScopes.filter(isIn))
    .filter(({ scopeName }) => !coveredScopes.has(scopeName));
  if (scopes.length === 0) return undefined;
  const printed = scopes.map(
    ({ scopeName, operator, values = [] }) => `{${scopeName} ${operator} [${values.join(" ")}]}`,
  );
  return `insufficient quota to match these scopes: [${printed.join(" ")}]`;
}

function excess(
  { quota, used }: RunningQuota,
  requested: Amounts,
  hard: Amounts,
): string | undefined {
  const names = new Set(requested.keys());
  const over = exceeding(masked(add(used, requested), names), hard);
  if (over.size === 0) return undefined;
  const [asked, before, limited] = [requested, used, hard].map((amounts) =>
    printAmounts(masked(amounts, over)),
  );
  return `exceeded quota: ${quota.metadata.name}, requested: ${asked}, used: ${before}, limited: ${limited}`;
}
