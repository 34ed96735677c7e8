import { ApiError } from "../../api/api-error.ts";
import type {
  Deployment,
  DeploymentStatus,
  ReplicaSet,
} from "../../api/generated/apps-v1.generated.ts";
import type { Pod } from "../../api/generated/core-v1.generated.ts";
import { matchesSelector, selectorOf } from "../../api/labels.ts";
import { keyOf, type NewObject, type ObjectKey, objectKey } from "../../api/object.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { deploymentResource } from "../../api/resources/deployment.ts";
import { replicaSetResource } from "../../api/resources/replicaset.ts";
import { isPodTerminal } from "../../api/shared/pod-status.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { indexOrphans } from "../../client/informer-index.ts";
import { claimObjects, controllerOf } from "../../client/ownership.ts";
import type { EventRecorder } from "../../client/recorder.ts";
import { watchMapped, watchOwned, watchSelf } from "../../client/watches.ts";
import {
  type PlannedSet,
  planRollout,
  type RolloutPlan,
  revisionAnnotation,
  sameTemplate,
} from "./deployment/plan-rollout.ts";
import { deadlineInMs, planStatus, set } from "./deployment/plan-status.ts";

/** Rolls each Deployment's template out through ReplicaSets, one for each template it had. */
export function deploymentController(deps: {
  readonly client: Client;
  readonly deployments: Informer<Deployment>;
  readonly replicaSets: Informer<ReplicaSet>;
  readonly pods: Informer<Pod>;
  readonly events: EventRecorder;
  readonly clock: Clock;
}): Controller {
  const { client, deployments, replicaSets, pods, events, clock } = deps;
  const orphans = indexOrphans(replicaSets);

  function ownSets(deployment: Deployment, signal: AbortSignal): Promise<readonly ReplicaSet[]> {
    const { uid, namespace } = deployment.metadata;
    const selector = selectorOf(deployment.spec.selector);
    return claimObjects(
      deps,
      { resource: deploymentResource, object: deployment },
      {
        resource: replicaSetResource,
        objects: [...replicaSets.ownedBy(uid), ...orphans.list(namespace ?? "")],
        matches: (replicaSet) => matchesSelector(selector, replicaSet.metadata.labels),
      },
      signal,
    );
  }

  async function applySet(
    deployment: Deployment,
    planned: PlannedSet,
    signal: AbortSignal,
  ): Promise<void> {
    const { current, replicas, minReadySeconds, annotations } = planned;
    const before = current.spec.replicas ?? 1;
    const same =
      before === replicas &&
      (current.spec.minReadySeconds ?? 0) === minReadySeconds &&
      equalJson(current.metadata.annotations ?? {}, annotations);
    if (same) return;
    const next: ReplicaSet = {
      ...current,
      metadata: { ...current.metadata, annotations },
      spec: { ...current.spec, replicas, minReadySeconds },
    };
    await client.update(replicaSetResource, next, signal);
    if (before === replicas) return;
    const direction = before < replicas ? "up" : "down";
    tellScaled(deployment, direction, current.metadata.name, before, replicas);
  }

  function tellScaled(
    deployment: Deployment,
    direction: "up" | "down",
    name: string,
    from: number,
    to: number,
  ): void {
    const message = `Scaled ${direction} replica set ${name} from ${from} to ${to}`;
    events.event(deployment, "Normal", "ScalingReplicaSet", message);
  }

  async function createSet(
    deployment: Deployment,
    replicaSet: NewObject<ReplicaSet>,
    signal: AbortSignal,
  ): Promise<void> {
    const name = replicaSet.metadata.name ?? "";
    try {
      await client.create(replicaSetResource, replicaSet, signal);
    } catch (caught) {
      if (signal.aborted) throw caught;
      const error = ApiError.from(caught);
      if (error.reason === "AlreadyExists") {
        const key = objectKey(deployment.metadata.namespace, name);
        const existing = await client.get(replicaSetResource, key, signal);
        // Ours, from a try whose answer was lost: as good as created.
        if (existing !== undefined && isSetOf(deployment, existing)) return;
        const collisionCount = (deployment.status.collisionCount ?? 0) + 1;
        await writeStatus(deployment, { ...deployment.status, collisionCount }, signal);
        throw caught;
      }
      const ending = error.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating");
      if (ending !== true) await tellCreateFailed(deployment, name, error, signal);
      throw caught;
    }
    const replicas = replicaSet.spec.replicas ?? 1;
    if (replicas > 0) tellScaled(deployment, "up", name, 0, replicas);
  }

  async function tellCreateFailed(
    deployment: Deployment,
    name: string,
    error: ApiError,
    signal: AbortSignal,
  ): Promise<void> {
    const reason = "ReplicaSetCreateError";
    const message = `Failed to create new replica set "${name}": ${error.message}`;
    events.event(deployment, "Warning", reason, message);
    const failed = { type: "Progressing", status: "False", reason, message };
    const conditions = set(deployment.status.conditions ?? [], clock.now(), failed);
    await writeStatus(deployment, { ...deployment.status, conditions }, signal);
  }

  async function apply(
    deployment: Deployment,
    plan: RolloutPlan,
    signal: AbortSignal,
  ): Promise<void> {
    for (const planned of plan.sets) await applySet(deployment, planned, signal);
    if (plan.create !== undefined) await createSet(deployment, plan.create, signal);
    for (const replicaSet of plan.deletions) {
      const { uid } = replicaSet.metadata;
      const key = keyOf(replicaSet);
      await client.delete(replicaSetResource, key, signal, { preconditions: { uid } });
    }
  }

  /** Returns the Deployment with the annotation, so that the status can be written on top of it. */
  async function writeRevision(
    deployment: Deployment,
    revision: string | undefined,
    signal: AbortSignal,
  ): Promise<Deployment> {
    const current = deployment.metadata.annotations?.[revisionAnnotation];
    if (revision === undefined || current === revision) return deployment;
    const { uid, resourceVersion } = deployment.metadata;
    const patch = {
      metadata: { uid, resourceVersion, annotations: { [revisionAnnotation]: revision } },
    };
    return await client.patch(
      deploymentResource,
      keyOf(deployment),
      { type: "merge", patch },
      signal,
    );
  }

  async function writeStatus(
    deployment: Deployment,
    status: DeploymentStatus,
    signal: AbortSignal,
  ): Promise<void> {
    if (equalJson(status, deployment.status)) return;
    const next = { ...deployment, status };
    await client.update(deploymentResource, next, signal, { subresource: "status" });
  }

  return {
    name: "deployment",
    watches: [
      watchSelf(deployments),
      watchOwned(replicaSets, deploymentResource),
      watchMapped(replicaSets, (replicaSet) => adopters(replicaSet, deployments)),
      watchMapped(pods, (pod) => recreatedBy(pod, replicaSets, deployments)),
    ],
    async reconcile(key, signal) {
      const deployment = deployments.get(key);
      if (deployment === undefined) return; // Deleted: the garbage collector removes its ReplicaSets.

      const own = await ownSets(deployment, signal);
      const plan = planRollout({
        deployment,
        replicaSets: own,
        hasRunningPods: ({ metadata }) =>
          pods.ownedBy(metadata.uid).some((pod) => !isPodTerminal(pod)),
      });
      await apply(deployment, plan, signal);
      const noted = await writeRevision(deployment, plan.revision, signal);
      const status = planStatus(deployment, plan, clock.now());
      await writeStatus(noted, status, signal);
      const waitMs = deadlineInMs(deployment, status, clock.now());
      return waitMs === undefined ? undefined : { requeueAfterMs: waitMs };
    },
  };
}

function isSetOf(deployment: Deployment, replicaSet: ReplicaSet): boolean {
  return (
    controllerOf(replicaSet)?.uid === deployment.metadata.uid &&
    sameTemplate(replicaSet.spec.template, deployment.spec.template)
  );
}

/** The Deployments that might adopt a ReplicaSet without a controller. */
function adopters(replicaSet: ReplicaSet, deployments: Informer<Deployment>): readonly ObjectKey[] {
  if (controllerOf(replicaSet) !== undefined) return [];
  return deployments
    .list(replicaSet.metadata.namespace)
    .filter(({ spec }) => matchesSelector(selectorOf(spec.selector), replicaSet.metadata.labels))
    .map(keyOf);
}

/** A Deployment that recreates waits for its old pods to end; nothing but the pods tells of that. */
function recreatedBy(
  pod: Pod,
  replicaSets: Informer<ReplicaSet>,
  deployments: Informer<Deployment>,
): readonly ObjectKey[] {
  const { namespace } = pod.metadata;
  const setReference = controllerOf(pod);
  if (setReference?.kind !== "ReplicaSet") return [];
  const replicaSet = replicaSets.get(objectKey(namespace, setReference.name));
  const reference = replicaSet && controllerOf(replicaSet);
  if (reference?.kind !== "Deployment") return [];
  const key = objectKey(namespace, reference.name);
  return deployments.get(key)?.spec.strategy.type === "Recreate" ? [key] : [];
}
