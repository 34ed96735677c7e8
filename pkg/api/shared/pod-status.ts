import { findCondition, isConditionTrue } from "../conditions.ts";
import type { Pod } from "../generated/core-v1.generated.ts";

/** True once none of the pod's containers will run again. */
export function isPodTerminal(pod: Pick<Pod, "status">): boolean {
  return pod.status.phase === "Succeeded" || pod.status.phase === "Failed";
}

/** True where the pod may serve: its condition Ready is "True". */
export function isPodReady(pod: Pick<Pod, "status">): boolean {
  return isConditionTrue(pod.status.conditions, "Ready");
}

/** True for a pod that counts towards a controller's replicas: neither over nor being deleted. */
export function isPodActive(pod: Pick<Pod, "status" | "metadata">): boolean {
  return !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** Since when the pod has been ready, in milliseconds since 1970; `undefined` while it is not. */
export function podReadySinceMs(pod: Pick<Pod, "status">): number | undefined {
  const ready = findCondition(pod.status.conditions, "Ready");
  if (ready?.status !== "True" || ready.lastTransitionTime === undefined) return undefined;
  return Date.parse(ready.lastTransitionTime);
}

/** True where the pod has been ready for at least `minReadySeconds`. */
export function isPodAvailable(
  pod: Pick<Pod, "status">,
  minReadySeconds: number,
  nowMs: number,
): boolean {
  if (!isPodReady(pod)) return false;
  if (minReadySeconds === 0) return true;
  const since = podReadySinceMs(pod);
  return since !== undefined && since + minReadySeconds * 1000 <= nowMs;
}
