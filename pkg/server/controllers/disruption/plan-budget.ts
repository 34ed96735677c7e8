import { withCondition } from "../../../api/conditions.ts";
import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import type { Condition } from "../../../api/generated/meta-v1.generated.ts";
import type {
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
} from "../../../api/generated/policy-v1.generated.ts";
import { isPodReady } from "../../../api/shared/pod-status.ts";
import { shareOf } from "../../../api/shared/share-of.ts";
import { formatTime, parseTime } from "../../../api/time.ts";

/** A pod that was evicted is deleted within this, or it was not evicted after all. */
const evictionMs = 120_000;

/** How many pods there should be, and how many must stay healthy. */
export interface PodCounts {
  readonly expected: number;
  readonly desired: number;
}

/** Whether the budget's numbers depend on how many pods their controllers ask for. */
export function dependsOnScale({ maxUnavailable, minAvailable }: PodDisruptionBudget["spec"]) {
  return maxUnavailable !== undefined || typeof minAvailable === "string";
}

/** `scale`: how many pods their controllers ask for, where the budget depends on that. Percentages are rounded up. */
export function planCounts(
  { maxUnavailable, minAvailable }: PodDisruptionBudget["spec"],
  podCount: number,
  scale: number,
): PodCounts {
  if (maxUnavailable !== undefined) {
    const desired = Math.max(0, scale - shareOf(maxUnavailable, scale, Math.ceil));
    return { expected: scale, desired };
  }
  if (minAvailable === undefined) return { expected: 0, desired: 0 };
  if (typeof minAvailable === "number") return { expected: podCount, desired: minAvailable };
  return { expected: scale, desired: shareOf(minAvailable, scale, Math.ceil) };
}

export interface BudgetPlan {
  readonly status: PodDisruptionBudgetStatus;
  /** Evicted, as the budget had it, and still there. */
  readonly notDeleted: readonly Pod[];
  /** When an eviction that nothing came of is forgotten, from now. */
  readonly lookAgainInMs: number | undefined;
}

/** What the budget allows now. `pods` are all that it guards. */
export function planBudget(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  { expected, desired }: PodCounts,
  nowMs: number,
): BudgetPlan {
  const waiting = new Map<string, string>();
  const notDeleted: Pod[] = [];
  const deadlines: number[] = [];
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata;
    const evictedAt = budget.status.disruptedPods?.[name];
    if (deletionTimestamp !== undefined || evictedAt === undefined) continue;
    const deadlineMs = (parseTime(evictedAt) ?? 0) + evictionMs;
    if (deadlineMs <= nowMs) {
      notDeleted.push(pod);
    } else {
      waiting.set(name, evictedAt);
      deadlines.push(deadlineMs);
    }
  }
  const healthy = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      !waiting.has(pod.metadata.name) &&
      isPodReady(pod),
  ).length;
  // A budget without pods allows nothing: the first ones come before it is counted anew.
  const disruptionsAllowed = expected <= 0 ? 0 : Math.max(0, healthy - desired);
  const observedGeneration = budget.metadata.generation ?? 0;
  const conditions = withAllowed(budget, nowMs, {
    status: disruptionsAllowed > 0 ? "True" : "False",
    reason: disruptionsAllowed > 0 ? "SufficientPods" : "InsufficientPods",
    message: "",
    observedGeneration,
  });
  return {
    status: {
      currentHealthy: healthy,
      desiredHealthy: desired,
      disruptionsAllowed,
      expectedPods: expected,
      observedGeneration,
      conditions,
      ...(waiting.size === 0 ? {} : { disruptedPods: Object.fromEntries(waiting) }),
    },
    notDeleted,
    lookAgainInMs: deadlines.length === 0 ? undefined : Math.min(...deadlines) - nowMs,
  };
}

/** The status of a budget that cannot be counted: it allows nothing. */
export function planFailed(
  budget: PodDisruptionBudget,
  why: string,
  nowMs: number,
): PodDisruptionBudgetStatus {
  const conditions = withAllowed(budget, nowMs, {
    status: "False",
    reason: "SyncFailed",
    message: why,
    observedGeneration: budget.status.observedGeneration ?? 0,
  });
  return { ...budget.status, disruptionsAllowed: 0, conditions };
}

function withAllowed(
  { status }: PodDisruptionBudget,
  nowMs: number,
  {
    observedGeneration,
    ...outcome
  }: Required<Pick<Condition, "status" | "reason" | "message" | "observedGeneration">>,
): readonly Condition[] {
  return withCondition<Condition>(status.conditions, {
    type: "DisruptionAllowed",
    lastTransitionTime: formatTime(nowMs),
    ...outcome,
    ...(observedGeneration === 0 ? {} : { observedGeneration }),
  });
}
