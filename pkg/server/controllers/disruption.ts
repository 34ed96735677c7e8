import { ApiError } from "../../api/api-error.ts";
import type { Deployment, ReplicaSet, StatefulSet } from "../../api/generated/apps-v1.generated.ts";
import type { Scale } from "../../api/generated/autoscaling-v1.generated.ts";
import type { Pod, ReplicationController } from "../../api/generated/core-v1.generated.ts";
import type { LabelSelector, OwnerReference } from "../../api/generated/meta-v1.generated.ts";
import type {
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
} from "../../api/generated/policy-v1.generated.ts";
import { type Labels, matchesSelector, selectorOf } from "../../api/labels.ts";
import { type KubernetesObject, keyOf, type ObjectKey, objectKey } from "../../api/object.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { groupResourceOf } from "../../api/resource.ts";
import { podDisruptionBudgetResource } from "../../api/resources/poddisruptionbudget.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Controller, Watch } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import type { LiveKinds } from "../../client/live-kinds.ts";
import { controllerOf } from "../../client/ownership.ts";
import type { EventRecorder } from "../../client/recorder.ts";
import { watchChanges, watchSelf } from "../../client/watches.ts";
import { expectedScale, type PodKeeper } from "./disruption/expected-scale.ts";
import { dependsOnScale, planBudget, planCounts, planFailed } from "./disruption/plan-budget.ts";

/** Says in each PodDisruptionBudget how many of its pods may be evicted. */
export function disruptionController(deps: {
  readonly client: Client;
  readonly clock: Clock;
  readonly budgets: Informer<PodDisruptionBudget>;
  readonly pods: Informer<Pod>;
  readonly replicationControllers: Informer<ReplicationController>;
  readonly replicaSets: Informer<ReplicaSet>;
  readonly deployments: Informer<Deployment>;
  readonly statefulSets: Informer<StatefulSet>;
  readonly kinds: LiveKinds;
  readonly events: EventRecorder;
}): Controller {
  const { client, clock, budgets, pods, kinds, events } = deps;
  const { replicationControllers, replicaSets, deployments, statefulSets } = deps;

  function budgetsOf(namespace: string | undefined, labels: Labels | undefined) {
    return budgets
      .list(namespace)
      .filter(({ spec }) => matchesSelector(selectorOf(spec.selector), labels));
  }

  function budgetsOfPod(pod: Pod, previous: Pod | undefined): readonly ObjectKey[] {
    const { namespace, name, labels } = pod.metadata;
    const found = budgetsOf(namespace, labels);
    if (found.length > 1) {
      const chosen = JSON.stringify(found[0]?.metadata.name);
      const message = `Pod ${JSON.stringify(namespace)}/${JSON.stringify(name)} matches multiple PodDisruptionBudgets.  Chose ${chosen} arbitrarily.`;
      events.event(pod, "Warning", "MultiplePodDisruptionBudgets", message);
    }
    const before = previous?.metadata.labels;
    const left = equalJson(before, labels) ? [] : budgetsOf(namespace, before);
    return [...new Set([...found, ...left].map(keyOf))];
  }

  /** A workload that asks for another number of pods changes what their budgets allow. */
  function watchScale<T extends KubernetesObject & Scaled>(informer: Informer<T>): Watch {
    return watchChanges(informer, (object, previous) =>
      object.spec.replicas === previous?.spec.replicas
        ? []
        : budgetsOf(object.metadata.namespace, object.spec.template?.metadata.labels).map(keyOf),
    );
  }

  /** The workload itself, or what stands behind it; undefined where it is none of those that are followed here. */
  function findFollowed(controller: OwnerReference, namespace: string): PodKeeper | undefined {
    if (isOf(controller, "ReplicationController", coreGroups)) {
      return keeperIn(replicationControllers, controller, namespace);
    }
    if (isOf(controller, "StatefulSet", appsGroups)) {
      return keeperIn(statefulSets, controller, namespace);
    }
    if (!isOf(controller, "ReplicaSet", replicaSetGroups)) return undefined;
    const replicaSet = replicaSets.get(objectKey(namespace, controller.name));
    const owner = replicaSet && controllerOf(replicaSet);
    return owner?.kind === "Deployment" && replicaSet?.metadata.uid === controller.uid
      ? isOf(owner, "Deployment", replicaSetGroups)
        ? keeperIn(deployments, owner, namespace)
        : undefined
      : keeperIn(replicaSets, controller, namespace);
  }

  /** Whatever has a scale can keep pods. */
  async function findByScale(
    controller: OwnerReference,
    namespace: string,
    signal: AbortSignal,
  ): Promise<PodKeeper | string | undefined> {
    const { apiVersion, kind, name, uid } = controller;
    const group = groupOf(controller);
    const resource = kinds.stored.find((each) => each.group === group && each.kind === kind);
    if (resource === undefined) {
      return `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`;
    }
    if (resource.subresources.scale === undefined) {
      return `${groupResourceOf(resource)} does not implement the scale subresource`;
    }
    const key = objectKey(resource.scope === "namespace" ? namespace : undefined, name);
    // `scale` answers with a Scale.
    const scale = (await client.getSubresource(resource, key, "scale", signal)) as
      | Scale
      | undefined;
    if (scale?.metadata.uid !== uid) return undefined;
    return { uid, replicas: scale.spec?.replicas ?? 0 };
  }

  async function write(
    budget: PodDisruptionBudget,
    status: PodDisruptionBudgetStatus,
    signal: AbortSignal,
  ): Promise<void> {
    if (equalJson(status, budget.status)) return;
    const next = { ...budget, status };
    await client.update(podDisruptionBudgetResource, next, signal, { subresource: "status" });
  }

  /** How many pods their controllers ask for; undefined where that is not to be known, which the budget then says. */
  async function scaleOf(
    budget: PodDisruptionBudget,
    guarded: readonly Pod[],
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const findKeeper = async (controller: OwnerReference, namespace: string) =>
      findFollowed(controller, namespace) ?? (await findByScale(controller, namespace, signal));
    let why: string;
    let error: ApiError | undefined;
    try {
      const scale = await expectedScale(guarded, findKeeper);
      if (scale.outcome === "known") {
        if (scale.unmanaged.length > 0) tellUnmanaged(budget);
        return scale.podCount;
      }
      why = scale.why;
    } catch (caught) {
      signal.throwIfAborted();
      error = ApiError.from(caught);
      why = error.message;
    }
    const message = `Failed to calculate the number of expected pods: ${why}`;
    events.event(budget, "Warning", "CalculateExpectedPodCountFailed", message);
    await write(budget, planFailed(budget, why, clock.now()), signal);
    if (error !== undefined) throw error;
    return undefined;
  }

  function tellUnmanaged(budget: PodDisruptionBudget): void {
    const selector = printSelector(budget.spec.selector);
    const message = `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;
    events.event(budget, "Warning", "UnmanagedPods", message);
  }

  return {
    name: "disruption",
    watches: [
      watchSelf(budgets),
      watchChanges(pods, budgetsOfPod),
      watchScale(replicationControllers),
      watchScale(replicaSets),
      watchScale(deployments),
      watchScale(statefulSets),
    ],
    async reconcile(key, signal) {
      const budget = budgets.get(key);
      if (budget === undefined) return undefined;
      const selector = selectorOf(budget.spec.selector);
      const guarded = pods
        .list(budget.metadata.namespace)
        .filter(({ metadata }) => matchesSelector(selector, metadata.labels));
      if (guarded.length === 0) {
        events.event(budget, "Normal", "NoPods", "No matching pods found");
      }
      const scale = dependsOnScale(budget.spec) ? await scaleOf(budget, guarded, signal) : 0;
      if (scale === undefined) return undefined;
      const counts = planCounts(budget.spec, guarded.length, scale);
      const plan = planBudget(budget, guarded, counts, clock.now());
      for (const pod of plan.notDeleted) {
        const { namespace, name } = budget.metadata;
        const message = `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`;
        events.event(pod, "Warning", "NotDeleted", message);
      }
      await write(budget, plan.status, signal);
      return plan.lookAgainInMs === undefined ? undefined : { requeueAfterMs: plan.lookAgainInMs };
    },
  };
}

interface Scaled {
  readonly spec: {
    readonly replicas?: number;
    readonly template?: { readonly metadata: { readonly labels?: Labels } };
  };
}

const coreGroups = [""];
const appsGroups = ["apps"];
/** Pods of clusters that were upgraded name their controllers by the group of old. */
const replicaSetGroups = ["apps", "extensions"];

function isOf(reference: OwnerReference, kind: string, groups: readonly string[]): boolean {
  return reference.kind === kind && groups.includes(groupOf(reference));
}

function groupOf({ apiVersion }: OwnerReference): string {
  return apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
}

function keeperIn<T extends KubernetesObject & Scaled>(
  informer: Informer<T>,
  { name, uid }: OwnerReference,
  namespace: string,
): PodKeeper | undefined {
  const found = informer.get(objectKey(namespace, name));
  return found?.metadata.uid === uid ? { uid, replicas: found.spec.replicas ?? 1 } : undefined;
}

/** As Go prints one, and so as the event has it that people search for. */
function printSelector(selector: LabelSelector | undefined): string {
  if (selector === undefined) return "nil";
  const labels = Object.entries(selector.matchLabels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value},`);
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
  );
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join("")}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join("")}},}`;
}
