import { ApiError } from "../../api/api-error.ts";
import { findCondition, withCondition, withoutCondition } from "../../api/conditions.ts";
import type { ReplicaSet, ReplicaSetStatus } from "../../api/generated/apps-v1.generated.ts";
import type { Pod, ReplicationController } from "../../api/generated/core-v1.generated.ts";
import { matchesSelector, type Selector, selectorOf } from "../../api/labels.ts";
import { keyOf } from "../../api/object.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import type { ResourceDefinition } from "../../api/resource.ts";
import { podResource } from "../../api/resources/pod.ts";
import { replicaSetResource } from "../../api/resources/replicaset.ts";
import { replicationControllerResource } from "../../api/resources/replicationcontroller.ts";
import { isPodTerminating, podAvailableInMs } from "../../api/shared/pod-availability.ts";
import { podFromTemplate } from "../../api/shared/pod-from-template.ts";
import { isPodActive, isPodReady, podReadySinceMs } from "../../api/shared/pod-status.ts";
import { formatTime, parseTime } from "../../api/time.ts";
import { present } from "../../base/assert.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { indexOrphans } from "../../client/informer-index.ts";
import { claimObjects, controllerOf, controllerReference } from "../../client/ownership.ts";
import type { EventRecorder } from "../../client/recorder.ts";
import { watchMapped, watchOwned, watchSelf } from "../../client/watches.ts";

/** More than this are neither created nor deleted in one go; the next `reconcile` does the rest. */
const burstPodsMax = 500;

/** What keeps a number of equal pods alive. */
type Replicated = ReplicaSet | ReplicationController;

export interface ReplicaPlan {
  readonly createCount: number;
  readonly deletions: readonly Pod[];
}

/**
 * What would bring the number of active pods to what is asked for. `related` are the active pods of all ReplicaSets
 * of the same owner: of two pods that are alike, the one goes that shares its node with more of them.
 *
 * @package
 */
export function planReplicas(
  replicaSet: Pick<Replicated, "spec">,
  active: readonly Pod[],
  related: readonly Pod[],
  nowMs: number,
): ReplicaPlan {
  const surplus = active.length - (replicaSet.spec.replicas ?? 1);
  if (surplus <= 0) return { createCount: Math.min(-surplus, burstPodsMax), deletions: [] };
  const deletions = surplus < active.length ? rankForDeletion(active, related, nowMs) : active;
  return { createCount: 0, deletions: deletions.slice(0, Math.min(surplus, burstPodsMax)) };
}

/** The pods in the order in which they may go: those first whose loss costs least. */
function rankForDeletion(
  pods: readonly Pod[],
  related: readonly Pod[],
  nowMs: number,
): readonly Pod[] {
  const perNode = new Map<string, number>();
  for (const { spec } of related) {
    const node = spec.nodeName ?? "";
    perNode.set(node, (perNode.get(node) ?? 0) + 1);
  }
  const neighbours = (pod: Pod) => perNode.get(pod.spec.nodeName ?? "") ?? 0;
  const byUid = (a: Pod, b: Pod) => (a.metadata.uid < b.metadata.uid ? -1 : 1);
  const youngerFirst = (a: number | undefined, b: number | undefined) =>
    ageMagnitude(a, nowMs) - ageMagnitude(b, nowMs);
  return pods.toSorted(
    (a, b) =>
      Number(isAssigned(a)) - Number(isAssigned(b)) ||
      phaseRank(a) - phaseRank(b) ||
      Number(isPodReady(a)) - Number(isPodReady(b)) ||
      deletionCost(a) - deletionCost(b) ||
      neighbours(b) - neighbours(a) ||
      youngerFirst(podReadySinceMs(a), podReadySinceMs(b)) ||
      restarts(b) - restarts(a) ||
      youngerFirst(
        parseTime(a.metadata.creationTimestamp),
        parseTime(b.metadata.creationTimestamp),
      ) ||
      byUid(a, b),
  );
}

/** Ages are told apart by their magnitude only, so that scaling down does not always take the newest. */
function ageMagnitude(sinceMs: number | undefined, nowMs: number): number {
  if (sinceMs === undefined) return -2;
  const ageNanoseconds = (nowMs - sinceMs) * 1_000_000;
  return ageNanoseconds > 0 ? Math.trunc(Math.log2(ageNanoseconds)) : -1;
}

function isAssigned(pod: Pod): boolean {
  return pod.spec.nodeName !== undefined && pod.spec.nodeName !== "";
}

function phaseRank(pod: Pod): number {
  switch (pod.status.phase) {
    case "Running":
      return 2;
    case "Unknown":
      return 1;
    default:
      return 0;
  }
}

function deletionCost(pod: Pod): number {
  const cost = Number(pod.metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"]);
  return Number.isSafeInteger(cost) ? cost : 0;
}

function restarts(pod: Pod): number {
  return Math.max(0, ...(pod.status.containerStatuses ?? []).map((status) => status.restartCount));
}

/**
 * The status that says what is there. `failure` is why the last try to change it did not work; `pods` are all
 * the ReplicaSet's own.
 *
 * @package
 */
export function planStatus(
  replicaSet: Replicated,
  pods: readonly Pod[],
  failure: { readonly reason: string; readonly message: string } | undefined,
  nowMs: number,
): ReplicaSetStatus {
  const { template, minReadySeconds = 0 } = replicaSet.spec;
  const isLabeled = (pod: Pod) =>
    Object.entries(template?.metadata.labels ?? {}).every(
      ([key, value]) => pod.metadata.labels?.[key] === value,
    );
  const active = pods.filter(isPodActive);
  const conditions =
    failure === undefined
      ? withoutCondition(replicaSet.status.conditions, "ReplicaFailure")
      : findCondition(replicaSet.status.conditions, "ReplicaFailure") === undefined
        ? withCondition(replicaSet.status.conditions, {
            type: "ReplicaFailure",
            status: "True",
            lastTransitionTime: formatTime(nowMs),
            ...failure,
          })
        : replicaSet.status.conditions;
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter(isLabeled).length,
    readyReplicas: active.filter(isPodReady).length,
    availableReplicas: active.filter((pod) => podAvailableInMs(pod, minReadySeconds, nowMs) === 0)
      .length,
    terminatingReplicas: pods.filter(isPodTerminating).length,
    observedGeneration: replicaSet.metadata.generation ?? 0,
    ...(conditions === undefined || conditions.length === 0 ? {} : { conditions }),
  };
}

/** What differs between the kinds of which each keeps a number of equal pods. */
interface ReplicatedKind<T extends Replicated> {
  readonly name: string;
  readonly resource: ResourceDefinition<T>;
  selector(object: T): Selector;
  /** Of what is counted, that which the kind has a field for. */
  status(counted: ReplicaSetStatus): T["status"];
}

interface ReplicatedDeps<T extends Replicated> {
  readonly client: Client;
  readonly replicaSets: Informer<T>;
  readonly pods: Informer<Pod>;
  readonly events: EventRecorder;
  readonly clock: Clock;
}

/** Keeps as many pods alive as each ReplicaSet asks for. */
export function replicaSetController(deps: ReplicatedDeps<ReplicaSet>): Controller {
  const kind: ReplicatedKind<ReplicaSet> = {
    name: "replicaset",
    resource: replicaSetResource,
    selector: ({ spec }) => selectorOf(spec.selector),
    status: (counted) => counted,
  };
  return replicatedController(kind, deps);
}

/** Keeps as many pods alive as each ReplicationController, a ReplicaSet of old, asks for. */
export function replicationControllerController(
  deps: ReplicatedDeps<ReplicationController>,
): Controller {
  const kind: ReplicatedKind<ReplicationController> = {
    name: "replicationcontroller",
    resource: replicationControllerResource,
    selector: ({ spec }) => selectorOf({ matchLabels: spec.selector ?? {} }),
    status: ({ terminatingReplicas: _, ...counted }) => counted,
  };
  return replicatedController(kind, deps);
}

function replicatedController<T extends Replicated>(
  kind: ReplicatedKind<T>,
  deps: ReplicatedDeps<T>,
): Controller {
  const { client, replicaSets, pods, events, clock } = deps;
  const orphans = indexOrphans(pods);

  function ownPods(replicaSet: T, signal: AbortSignal): Promise<readonly Pod[]> {
    const { uid, namespace } = replicaSet.metadata;
    const selector = kind.selector(replicaSet);
    return claimObjects(
      deps,
      { resource: kind.resource, object: replicaSet },
      {
        resource: podResource,
        // A pod that ended is nobody's replica: it is neither adopted nor let go.
        objects: [...pods.ownedBy(uid), ...orphans.list(namespace ?? "").filter(isPodActive)],
        matches: (pod) => matchesSelector(selector, pod.metadata.labels),
      },
      signal,
    );
  }

  function relatedPods(replicaSet: T): readonly Pod[] {
    const owner = controllerOf(replicaSet);
    const siblings = owner === undefined ? [replicaSet] : replicaSets.ownedBy(owner.uid);
    return siblings.flatMap(({ metadata }) => pods.ownedBy(metadata.uid)).filter(isPodActive);
  }

  async function createPod(replicaSet: T, signal: AbortSignal): Promise<void> {
    const reference = controllerReference(replicaSet, kind.resource);
    const template = present(replicaSet.spec.template, "the template of what was validated");
    try {
      const pod = podFromTemplate(template, replicaSet, reference);
      const created = await client.create(podResource, pod, signal);
      events.event(
        replicaSet,
        "Normal",
        "SuccessfulCreate",
        `Created pod: ${created.metadata.name}`,
      );
    } catch (caught) {
      const error = ApiError.from(caught);
      // The namespace ends, and the ReplicaSet with it: there is nothing to tell.
      if (signal.aborted || isNamespaceEnding(error)) throw caught;
      events.event(replicaSet, "Warning", "FailedCreate", `Error creating: ${error.message}`);
      throw caught;
    }
  }

  async function deletePod(replicaSet: T, pod: Pod, signal: AbortSignal): Promise<void> {
    const { name, uid } = pod.metadata;
    try {
      await client.delete(podResource, keyOf(pod), signal, { preconditions: { uid } });
      events.event(replicaSet, "Normal", "SuccessfulDelete", `Deleted pod: ${name}`);
    } catch (caught) {
      if (signal.aborted) throw caught;
      const { message } = ApiError.from(caught);
      events.event(replicaSet, "Warning", "FailedDelete", `Error deleting: ${message}`);
      throw caught;
    }
  }

  async function apply(
    replicaSet: T,
    plan: ReplicaPlan,
    signal: AbortSignal,
  ): Promise<{ readonly reason: string; readonly error: ApiError } | undefined> {
    try {
      await slowStart(plan.createCount, () => createPod(replicaSet, signal));
    } catch (caught) {
      if (signal.aborted) throw caught;
      const error = ApiError.from(caught);
      return isNamespaceEnding(error) ? undefined : { reason: "FailedCreate", error };
    }
    const deletions = await Promise.allSettled(
      plan.deletions.map((pod) => deletePod(replicaSet, pod, signal)),
    );
    signal.throwIfAborted();
    const failed = deletions.find((deletion) => deletion.status === "rejected");
    return failed && { reason: "FailedDelete", error: ApiError.from(failed.reason) };
  }

  return {
    name: kind.name,
    watches: [
      watchSelf(replicaSets),
      watchOwned(pods, kind.resource),
      watchMapped(pods, (pod) => adopters(pod, replicaSets, kind)),
    ],
    async reconcile(key, signal) {
      const replicaSet = replicaSets.get(key);
      if (replicaSet === undefined) return; // Deleted: the garbage collector removes its pods.

      const own = await ownPods(replicaSet, signal);
      const active = own.filter(isPodActive);
      const plan =
        replicaSet.metadata.deletionTimestamp === undefined
          ? planReplicas(replicaSet, active, relatedPods(replicaSet), clock.now())
          : { createCount: 0, deletions: [] };
      const failed = await apply(replicaSet, plan, signal);

      const failure = failed && { reason: failed.reason, message: failed.error.message };
      const status = kind.status(planStatus(replicaSet, own, failure, clock.now()));
      if (!equalJson(status, replicaSet.status)) {
        const next = { ...replicaSet, status };
        await client.update(kind.resource, next, signal, { subresource: "status" });
      }
      if (failed !== undefined) throw failed.error;
      return nextAvailability(replicaSet, active, clock.now());
    },
  };
}

/** Does `work` `count` times, 1 at first, then 2 at once, then 4, …: so that what cannot work fails once, not often. */
async function slowStart(count: number, work: () => Promise<void>): Promise<void> {
  for (let left = count, batch = 1; left > 0; batch *= 2) {
    const size = Math.min(batch, left);
    const results = await Promise.allSettled(Array.from({ length: size }, work));
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    left -= size;
  }
}

function isNamespaceEnding(error: ApiError): boolean {
  return error.details?.causes?.some((cause) => cause.reason === "NamespaceTerminating") === true;
}

/** A pod that only waits for `minReadySeconds` changes nothing when it becomes available: somebody must look. */
function nextAvailability(replicaSet: Replicated, active: readonly Pod[], nowMs: number) {
  const waits = active
    .map((pod) => podAvailableInMs(pod, replicaSet.spec.minReadySeconds ?? 0, nowMs))
    .filter((waitMs): waitMs is number => waitMs !== undefined && waitMs > 0);
  return waits.length === 0 ? undefined : { requeueAfterMs: Math.min(...waits) };
}

/** The ReplicaSets that might adopt a pod without a controller. */
function adopters<T extends Replicated>(
  pod: Pod,
  replicaSets: Informer<T>,
  kind: ReplicatedKind<T>,
): readonly string[] {
  if (controllerOf(pod) !== undefined) return [];
  return replicaSets
    .list(pod.metadata.namespace)
    .filter((replicaSet) => matchesSelector(kind.selector(replicaSet), pod.metadata.labels))
    .map(keyOf);
}
