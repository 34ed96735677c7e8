import type { Pod } from "../generated/core-v1.generated.ts";
import { isPodReady, isPodTerminal, podReadySinceMs } from "./pod-status.ts";

/** The pod is being deleted, and its containers may still run. */
export function isPodTerminating(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined;
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
