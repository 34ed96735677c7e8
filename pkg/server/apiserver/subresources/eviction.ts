import { ApiError } from "../../../api/api-error.ts";
import { withCondition } from "../../../api/conditions.ts";
import { draftOf } from "../../../api/draft.ts";
import { invalid } from "../../../api/field-error.ts";
import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import { type Eviction, evictionSchema } from "../../../api/generated/policy-v1.generated.ts";
import type { Draft, KubernetesObject } from "../../../api/object.ts";
import type { Schema } from "../../../api/schema.ts";
import { isPodReady, isPodTerminal } from "../../../api/shared/pod-status.ts";
import { formatTime } from "../../../api/time.ts";
import type { RequestContext } from "../request-context.ts";
import {
  admit,
  readStored,
  type Target,
  updateStored,
  validateAdmission,
} from "../resource-store.ts";
import { type DeleteOptions, parseDeleteOptions, plainWrite } from "../write-options.ts";
import { budgetsOf, spend, tooManyDisruptions } from "./disruption-budget.ts";
import type { SubresourceDeps, ValueSubresource } from "./subresource.ts";

const noQuery = new URLSearchParams();

/** Another writer can be faster this often. */
const triesMax = 20;

/** `pods/eviction`: a delete that asks first whether the pod may be spared. */
export const evictionSubresource: ValueSubresource = {
  name: "eviction",
  isOf: (resource) => resource.group === "" && resource.plural === "pods",
  body: {
    group: "policy",
    version: "v1",
    kind: "Eviction",
    schema: evictionSchema as unknown as Schema<KubernetesObject>,
  },
  async create(deps, context, target, body, options) {
    const eviction = body as unknown as Eviction;
    checkEviction(eviction, target);
    const asked = parseDeleteOptions(noQuery, eviction.deleteOptions);
    const deletion: DeleteOptions = { ...asked, dryRun: asked.dryRun || options.dryRun };
    const request = {
      operation: "CREATE",
      resource: target.resource,
      subresource: "eviction",
      namespace: target.namespace,
      name: target.name,
      object: eviction,
      previous: undefined,
      user: context.user,
      dryRun: deletion.dryRun,
      warnings: context.warnings,
    } as const;
    await admit(deps, request);
    await validateAdmission(deps, request);
    return await evict({ deps, context, target, deletion });
  },
};

const success = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };

function checkEviction({ metadata, deleteOptions }: Eviction, { name }: Target): void {
  if (metadata.name !== name) {
    throw ApiError.badRequest("name in URL does not match name in Eviction object");
  }
  if (deleteOptions?.ignoreStoreReadErrorWithClusterBreakingPotential === true) {
    throw ApiError.invalid({ group: "policy", kind: "Eviction" }, name, [
      invalid(
        "deleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential",
        true,
        "can not be set for pod eviction, try after removing the option",
      ),
    ]);
  }
}

interface Evicting {
  readonly deps: SubresourceDeps;
  readonly context: RequestContext;
  readonly target: Target;
  readonly deletion: DeleteOptions;
}

async function evict(evicting: Evicting): Promise<unknown> {
  const { deps, context, target, deletion } = evicting;
  let pod = podOf(evicting);
  for (let tries = 1; isUnguarded(pod); tries += 1) {
    try {
      await markAndDelete(evicting, isSettled(pod) ? deletion : pinned(deletion, pod));
      return success;
    } catch (caught) {
      const isFinal = deletion.preconditions.resourceVersion !== undefined || tries === triesMax;
      if (isFinal || !isConflict(caught)) throw caught;
      context.signal.throwIfAborted();
      pod = podOf(evicting);
    }
  }
  const [budget, ...others] = budgetsOf(deps.hub, pod);
  if (others.length > 0) {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message:
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
      code: 500,
    };
  }
  if (budget === undefined) {
    await markAndDelete(evicting, deletion);
    return success;
  }
  const { currentHealthy, desiredHealthy } = budget.status;
  // A pod that does not serve is no loss to those who do.
  const isNoLoss =
    !isPodReady(pod) &&
    (budget.spec.unhealthyPodEvictionPolicy === "AlwaysAllow" ||
      (desiredHealthy > 0 && currentHealthy >= desiredHealthy));
  if (!isNoLoss) {
    await spend(deps, context, budget, target.name, deletion.dryRun);
    await markAndDelete(evicting, deletion);
    return success;
  }
  try {
    await markAndDelete(evicting, pinned(deletion, pod));
  } catch (caught) {
    const mine = deletion.preconditions.resourceVersion === undefined;
    if (mine && isConflict(caught)) throw tooManyDisruptions(budget.metadata.name);
    throw caught;
  }
  return success;
}

function podOf({ deps, target }: Evicting): Pod {
  return readStored(deps, target).value as Pod;
}

/** No budget counts a pod that is over, that goes already, or that has not begun. */
function isUnguarded(pod: Pod): boolean {
  return isSettled(pod) || pod.status.phase === "Pending";
}

function isSettled(pod: Pod): boolean {
  return isPodTerminal(pod) || pod.metadata.deletionTimestamp !== undefined;
}

/** Only if the pod is still as it was looked at: it may have become ready meanwhile. */
function pinned(deletion: DeleteOptions, { metadata }: Pod): DeleteOptions {
  if (deletion.preconditions.resourceVersion !== undefined) return deletion;
  const { resourceVersion } = metadata;
  return { ...deletion, preconditions: { ...deletion.preconditions, resourceVersion } };
}

function isConflict(caught: unknown): boolean {
  return caught instanceof ApiError && caught.reason === "Conflict";
}

/** Says on the pod why it goes, and deletes it. */
async function markAndDelete(
  { deps, context, target }: Evicting,
  deletion: DeleteOptions,
): Promise<void> {
  if (deletion.dryRun) {
    await deps.deleteObject(context, target, deletion);
    return;
  }
  const { stored } = await updateStored({ ...deps, admission: [] }, context, {
    target,
    subresource: "status",
    mayCreate: false,
    options: plainWrite,
    preconditions: {},
    next(previous) {
      const pod = draftOf(previous) as Draft<Pod>;
      checkPreconditions(pod as Pod, deletion);
      const conditions = withCondition(pod.status.conditions, {
        type: "DisruptionTarget",
        status: "True",
        reason: "EvictionByEvictionAPI",
        message: "Eviction API: evicting",
        lastTransitionTime: formatTime(deps.clock.now()),
      });
      pod.status.conditions = draftOf(conditions) as Draft<typeof conditions>;
      return pod as unknown as Draft<KubernetesObject>;
    },
  });
  const { preconditions } = deletion;
  const { resourceVersion } = stored.value.metadata;
  await deps.deleteObject(context, target, {
    ...deletion,
    // The version that was asked for is the one before the mark.
    preconditions:
      preconditions.resourceVersion === undefined
        ? preconditions
        : { ...preconditions, resourceVersion },
  });
}

function checkPreconditions({ metadata }: Pod, { preconditions }: DeleteOptions): void {
  const { uid = "", resourceVersion = "" } = preconditions;
  const refuse = (why: string) =>
    ApiError.conflict({ group: "", plural: "Pod" }, metadata.name, why);
  if (uid !== "" && uid !== metadata.uid) {
    throw refuse(
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== "" && resourceVersion !== metadata.resourceVersion) {
    throw refuse(
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}
