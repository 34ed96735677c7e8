import { findCondition, withoutCondition } from "../../../api/conditions.ts";
import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
} from "../../../api/generated/apps-v1.generated.ts";
import { formatTime, parseTime } from "../../../api/time.ts";
import type { RolloutPlan } from "./plan-rollout.ts";
import { rolloutBounds } from "./sizes.ts";

/** A deadline of this many seconds is none. */
const noDeadline = 2_147_483_647;

type Conditions = readonly DeploymentCondition[];

/** The status that goes with a plan. */
export function planStatus(
  deployment: Deployment,
  plan: RolloutPlan,
  nowMs: number,
): DeploymentStatus {
  const { spec, metadata } = deployment;
  const { desired, maxUnavailable } = rolloutBounds(deployment);
  const sets = plan.sets.map(({ current }) => current);
  const sum = (count: (set: ReplicaSet) => number | undefined) =>
    sets.reduce((total, set) => total + (count(set) ?? 0), 0);
  const available = sum(({ status }) => status.availableReplicas);
  const planned = plan.sets.reduce((total, { replicas }) => total + replicas, 0);
  const counts = {
    observedGeneration: metadata.generation ?? 0,
    replicas: sum(({ status }) => status.replicas),
    updatedReplicas: plan.newSet?.current.status.replicas ?? 0,
    readyReplicas: sum(({ status }) => status.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, planned - available),
    terminatingReplicas: sum(({ status }) => status.terminatingReplicas),
  };

  const isAvailable = available >= desired - maxUnavailable;
  let conditions = set(pausedConditions(deployment, nowMs), nowMs, {
    type: "Available",
    ...(isAvailable
      ? {
          status: "True",
          reason: "MinimumReplicasAvailable",
          message: "Deployment has minimum availability.",
        }
      : {
          status: "False",
          reason: "MinimumReplicasUnavailable",
          message: "Deployment does not have minimum availability.",
        }),
  });
  if (spec.paused !== true && metadata.deletionTimestamp === undefined) {
    conditions = progress(deployment, plan, counts, conditions, nowMs);
    conditions = replicaFailure(plan, conditions, nowMs);
  }
  const { collisionCount } = deployment.status;
  return {
    ...withoutZeros(counts),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions,
  };
}

/** Go leaves these out where they are 0; `terminatingReplicas` is a pointer, and stays. */
function withoutZeros(counts: Required<Counts>): Counts {
  const { terminatingReplicas, ...rest } = counts;
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([, count]) => count !== 0)),
    terminatingReplicas,
  };
}

type Counts = Pick<
  DeploymentStatus,
  | "observedGeneration"
  | "replicas"
  | "updatedReplicas"
  | "readyReplicas"
  | "availableReplicas"
  | "unavailableReplicas"
  | "terminatingReplicas"
>;

function hasDeadline({ spec }: Deployment): boolean {
  return spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== noDeadline;
}

/** So that a Deployment which was paused for long does not count as stuck when it goes on. */
function pausedConditions(deployment: Deployment, nowMs: number): Conditions {
  const conditions = deployment.status.conditions ?? [];
  const reason = findCondition(conditions, "Progressing")?.reason;
  if (!hasDeadline(deployment) || reason === "ProgressDeadlineExceeded") return conditions;
  const paused = deployment.spec.paused === true;
  if (paused === (reason === "DeploymentPaused")) return conditions;
  return set(conditions, nowMs, {
    type: "Progressing",
    status: "Unknown",
    ...(paused
      ? { reason: "DeploymentPaused", message: "Deployment is paused" }
      : { reason: "DeploymentResumed", message: "Deployment is resumed" }),
  });
}

function progress(
  deployment: Deployment,
  plan: RolloutPlan,
  counts: Required<Counts>,
  conditions: Conditions,
  nowMs: number,
): Conditions {
  if (!hasDeadline(deployment)) return withoutCondition(conditions, "Progressing");
  const progressing = { type: "Progressing", status: "True" };
  const name = plan.newSet?.current.metadata.name;
  if (plan.create !== undefined) {
    return set(conditions, nowMs, {
      ...progressing,
      reason: "NewReplicaSetCreated",
      message: `Created new replica set "${plan.create.metadata.name ?? ""}"`,
    });
  }
  const current = findCondition(conditions, "Progressing");
  if (current === undefined && name !== undefined) {
    return set(conditions, nowMs, {
      ...progressing,
      reason: "FoundNewReplicaSet",
      message: `Found new replica set "${name}"`,
    });
  }
  const wasComplete = current?.reason === "NewReplicaSetAvailable";
  if (wasComplete && counts.replicas === counts.updatedReplicas) return conditions;

  const subject =
    name === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${name}"`;
  if (isComplete(deployment, counts)) {
    return set(conditions, nowMs, {
      ...progressing,
      reason: "NewReplicaSetAvailable",
      message: `${subject} has successfully progressed.`,
    });
  }
  if (hasMoved(deployment.status, counts)) {
    // Written anew even where nothing else changes: its update time is what the deadline counts from.
    return set(withoutCondition(conditions, "Progressing"), nowMs, {
      ...progressing,
      reason: "ReplicaSetUpdated",
      message: `${subject} is progressing.`,
      ...(current?.status === "True" && current.lastTransitionTime !== undefined
        ? { lastTransitionTime: current.lastTransitionTime }
        : {}),
    });
  }
  if (isTimedOut(deployment, current, nowMs)) {
    return set(conditions, nowMs, {
      type: "Progressing",
      status: "False",
      reason: "ProgressDeadlineExceeded",
      message: `${subject} has timed out progressing.`,
    });
  }
  return conditions;
}

function isComplete(deployment: Deployment, counts: Required<Counts>): boolean {
  const desired = deployment.spec.replicas ?? 1;
  return (
    counts.updatedReplicas === desired &&
    counts.replicas === desired &&
    counts.availableReplicas === desired
  );
}

function hasMoved(before: DeploymentStatus, now: Required<Counts>): boolean {
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = before;
  return (
    now.updatedReplicas > updatedReplicas ||
    now.replicas - now.updatedReplicas < replicas - updatedReplicas ||
    now.readyReplicas > readyReplicas ||
    now.availableReplicas > availableReplicas
  );
}

function isTimedOut(
  deployment: Deployment,
  current: DeploymentCondition | undefined,
  nowMs: number,
): boolean {
  if (current === undefined || current.reason === "NewReplicaSetAvailable") return false;
  if (current.reason === "ProgressDeadlineExceeded") return true;
  const since = parseTime(current.lastUpdateTime) ?? nowMs;
  return since + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000 < nowMs;
}

/** How long until somebody must look whether the Deployment is stuck; undefined where it cannot become so. */
export function deadlineInMs(
  deployment: Deployment,
  status: DeploymentStatus,
  nowMs: number,
): number | undefined {
  const current = findCondition(status.conditions, "Progressing");
  if (current === undefined || !hasDeadline(deployment) || deployment.spec.paused === true) {
    return undefined;
  }
  const { reason } = current;
  if (reason === "NewReplicaSetAvailable" || reason === "ProgressDeadlineExceeded")
    return undefined;
  const since = parseTime(current.lastUpdateTime) ?? nowMs;
  const dueMs = since + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000;
  // A second later, because what is told in whole seconds must be over, not just reached.
  return Math.max(0, dueMs - nowMs) + 1_000;
}

function replicaFailure(plan: RolloutPlan, conditions: Conditions, nowMs: number): Conditions {
  const failures = [plan.newSet, ...plan.sets].map((planned) =>
    findCondition(planned?.current.status.conditions, "ReplicaFailure"),
  );
  const failure = failures.find((condition) => condition !== undefined);
  if (failure === undefined) return withoutCondition(conditions, "ReplicaFailure");
  return set(conditions, nowMs, {
    type: "ReplicaFailure",
    status: failure.status,
    reason: failure.reason ?? "",
    message: failure.message ?? "",
    ...(failure.lastTransitionTime === undefined
      ? {}
      : { lastTransitionTime: failure.lastTransitionTime }),
  });
}

/** The condition goes to the end, as upstream puts it; with the same status and reason nothing changes at all. */
export function set(conditions: Conditions, nowMs: number, next: DeploymentCondition): Conditions {
  const current = findCondition(conditions, next.type);
  if (current?.status === next.status && current.reason === next.reason) return conditions;
  const now = formatTime(nowMs);
  const transition = current?.status === next.status ? (current.lastTransitionTime ?? now) : now;
  return [
    ...withoutCondition(conditions, next.type),
    { lastUpdateTime: now, lastTransitionTime: transition, ...next },
  ];
}
