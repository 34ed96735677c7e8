import { ApiError } from "../../../api/api-error.ts";
import { findCondition, withCondition } from "../../../api/conditions.ts";
import { draftOf } from "../../../api/draft.ts";
import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import type { PodDisruptionBudget } from "../../../api/generated/policy-v1.generated.ts";
import { matchesSelector, selectorOf } from "../../../api/labels.ts";
import type { Draft, KubernetesObject } from "../../../api/object.ts";
import { podDisruptionBudgetResource } from "../../../api/resources/poddisruptionbudget.ts";
import { formatTime } from "../../../api/time.ts";
import { createHubObjectReader } from "../admission/hub-object-reader.ts";
import type { Hub } from "../hub.ts";
import { trackFields } from "../managed-fields.ts";
import type { RequestContext } from "../request-context.ts";
import { type StoreDeps, type Target, updateStored } from "../resource-store.ts";

const resource = podDisruptionBudgetResource as unknown as Target["resource"];

/** Evictions that the budget's controller has not yet seen. Where there are more, it is not keeping up. */
const disruptedPodsMax = 2_000;

/** The budgets that guard a pod. */
export function budgetsOf(hub: Hub, { metadata }: Pod): readonly PodDisruptionBudget[] {
  return createHubObjectReader(hub)
    .list(podDisruptionBudgetResource, metadata.namespace)
    .filter(({ spec }) => matchesSelector(selectorOf(spec.selector), metadata.labels));
}

/** Takes one disruption from the budget for a pod's name, or refuses: as one step, whoever else evicts meanwhile. */
export async function spend(
  deps: StoreDeps,
  context: RequestContext,
  { metadata: { namespace, name } }: PodDisruptionBudget,
  podName: string,
  dryRun: boolean,
): Promise<void> {
  await updateStored({ ...deps, admission: [] }, context, {
    target: { resource, namespace, name },
    subresource: "status",
    mayCreate: false,
    options: { dryRun, fieldManager: undefined },
    preconditions: {},
    next(previous) {
      const draft = draftOf(previous) as Draft<PodDisruptionBudget>;
      decrement(draft, podName, formatTime(deps.clock.now()));
      const next = draft as unknown as Draft<KubernetesObject>;
      trackFields(deps, resource, previous, next, "kube-apiserver", "status");
      return next;
    },
  });
}

function decrement(budget: Draft<PodDisruptionBudget>, podName: string, now: string): void {
  const { metadata, status } = budget;
  const refuse = (why: string) =>
    ApiError.forbidden({ group: "policy", plural: "poddisruptionbudget" }, metadata.name, why);
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    throw tooManyDisruptions(metadata.name);
  }
  if (status.disruptionsAllowed < 0) throw refuse("pdb disruptions allowed is negative");
  if (Object.keys(status.disruptedPods ?? {}).length > disruptedPodsMax) {
    throw refuse("DisruptedPods map too big - too many evictions not confirmed by PDB controller");
  }
  if (status.disruptionsAllowed === 0) throw exhausted(budget as PodDisruptionBudget);
  status.disruptionsAllowed -= 1;
  if (status.disruptionsAllowed === 0) {
    const conditions = withCondition(status.conditions, {
      type: "DisruptionAllowed",
      status: "False",
      reason: "InsufficientPods",
      message: "",
      lastTransitionTime: now,
      ...(status.observedGeneration === undefined
        ? {}
        : { observedGeneration: status.observedGeneration }),
    });
    status.conditions = draftOf(conditions) as Draft<typeof conditions>;
  }
  status.disruptedPods = { ...status.disruptedPods, [podName]: now };
}

const violated = "Cannot evict pod as it would violate the pod's disruption budget.";
const retryAfterSeconds = 10;

/** The budget is being counted anew: the same question has an answer soon. */
export function tooManyDisruptions(name: string): ApiError {
  const message = `The disruption budget ${name} is still being processed by the server.`;
  return new ApiError("TooManyRequests", violated, {
    details: { retryAfterSeconds, causes: [{ reason: "DisruptionBudget", message }] },
  });
}

function exhausted(budget: PodDisruptionBudget): ApiError {
  return new ApiError("TooManyRequests", violated, {
    details: { causes: [{ reason: "DisruptionBudget", message: whyExhausted(budget) }] },
  });
}

function whyExhausted({ metadata: { name }, status }: PodDisruptionBudget): string {
  const condition = findCondition(status.conditions, "DisruptionAllowed");
  const { message = "", reason = "" } = condition ?? {};
  const isExplained = condition?.status === "False" && message !== "";
  if (isExplained && reason === "SyncFailed") {
    return `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${message}`;
  }
  const { currentHealthy, desiredHealthy } = status;
  if (currentHealthy <= desiredHealthy) {
    return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  }
  return isExplained
    ? `The disruption budget ${name} does not allow evicting pods currently (${reason}): ${message}`
    : `The disruption budget ${name} does not allow evicting pods currently`;
}
