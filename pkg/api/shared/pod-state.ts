import { findCondition, isConditionTrue } from "../conditions.ts";
import type { Pod } from "../generated/core-v1.generated.ts";
import { parseTime } from "../time.ts";

/** The pod's containers have ended for good. */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

/** The pod is neither ended nor being deleted: it counts as a replica. */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** The pod is being deleted, and its containers may still run. */
export function isPodTerminating(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined;
}

export function isPodReady(pod: Pod): boolean {
  return isConditionTrue(pod.status?.conditions, "Ready");
}

/** Since when the pod is ready, in milliseconds since 1970; undefined where it is not. */
export function podReadySinceMs(pod: Pod): number | undefined {
  const condition = findCondition(pod.status?.conditions, "Ready");
  return condition?.status === "True" ? parseTime(condition.lastTransitionTime) : undefined;
}

/**
 * How long until the pod has been ready for `minReadySeconds`, in milliseconds: 0 for a pod that is available,
 * undefined for one that will not become so by waiting.
 */
export function podAvailableInMs(
  pod: Pod,
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  if (!isPodReady(pod)) return undefined;
  if (minReadySeconds === 0) return 0;
  const since = podReadySinceMs(pod);
  return since === undefined ? undefined : Math.max(0, since + minReadySeconds * 1000 - nowMs);
}
