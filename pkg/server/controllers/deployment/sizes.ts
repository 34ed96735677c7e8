import type { Deployment } from "../../../api/generated/apps-v1.generated.ts";
import { shareOf } from "../../../api/shared/share-of.ts";

/** How many pods a Deployment may have, and must have, while it rolls. */
export interface RolloutBounds {
  readonly desired: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** The bounds in whole pods. Where both round to none, one pod may be unavailable: else nothing could ever move. */
export function rolloutBounds(deployment: Deployment): RolloutBounds {
  const desired = deployment.spec.replicas ?? 1;
  const { type, rollingUpdate } = deployment.spec.strategy;
  if (type !== "RollingUpdate") return { desired, maxSurge: 0, maxUnavailable: 0 };
  const maxSurge = shareOf(rollingUpdate?.maxSurge, desired, Math.ceil);
  const asked = shareOf(rollingUpdate?.maxUnavailable, desired, Math.floor);
  const unavailable = maxSurge === 0 && asked === 0 ? 1 : asked;
  return { desired, maxSurge, maxUnavailable: Math.min(unavailable, desired) };
}
