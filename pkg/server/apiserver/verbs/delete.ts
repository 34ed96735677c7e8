import { ApiError } from "../../../api/api-error.ts";
import { draftOf } from "../../../api/draft.ts";
import type { Draft, KubernetesObject } from "../../../api/object.ts";
import { equalJson } from "../../../api/patch/json-value.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import { foregroundFinalizer, orphanFinalizer } from "../../../api/shared/object-meta.ts";
import { formatTime, parseTime } from "../../../api/time.ts";
import type { AdmissionRequest } from "../admission/admission.ts";
import { type HubWriteResult, type StoredObject, storageKey } from "../hub.ts";
import type { RequestContext } from "../request-context.ts";
import {
  admit,
  isHeldNamespace,
  type StoreDeps,
  type Target,
  unstored,
  validateAdmission,
} from "../resource-store.ts";
import { asServed } from "../served-view.ts";
import type { DeleteOptions } from "../write-options.ts";

export interface Deleted {
  /** False: it only waits for its finalizers, or its grace period. */
  readonly gone: boolean;
  readonly stored: StoredObject;
}

/** Another writer can be faster this often; whoever loses more is told of the conflict. */
const deleteTriesMax = 64;

/** Deletes an object, or marks it as to be deleted where something has to happen before. */
export async function deleteObject(
  deps: StoreDeps,
  context: RequestContext,
  target: Target,
  options: DeleteOptions,
): Promise<Deleted> {
  const { resource, namespace, name } = target;
  const key = storageKey(resource, namespace, name);
  let current = deps.hub.get(key);
  for (let tries = 1; ; tries += 1) {
    if (current === undefined) throw ApiError.notFound(resource, name);
    await passAdmission(deps, context, target, options, asServed(resource, current).value);
    checkPreconditions(resource, current.value, options);
    const step = planDelete(resource, current.value, options, deps.clock.now());
    if (step.type === "pending") return { gone: false, stored: asServed(resource, current) };
    if (options.dryRun) {
      const object = step.type === "mark" ? step.object : current.value;
      const stored = asServed(resource, unstored(key, object, current));
      return { gone: step.type === "remove", stored };
    }
    const durability = resource.durability(current.value);
    const result: HubWriteResult =
      step.type === "remove"
        ? await deps.hub.delete(key, current.revision, durability)
        : await deps.hub.update(key, withoutVersion(step.object), current.revision, durability);
    if (result.outcome === "written") {
      return { gone: step.type === "remove", stored: asServed(resource, result.stored) };
    }
    if (tries === deleteTriesMax) {
      throw ApiError.conflict(
        resource,
        name,
        "the object is being modified all the time; try again",
      );
    }
    context.signal.throwIfAborted();
    current = result.current;
  }
}

async function passAdmission(
  deps: StoreDeps,
  context: RequestContext,
  target: Target,
  options: DeleteOptions,
  previous: KubernetesObject,
): Promise<void> {
  const request: AdmissionRequest = {
    operation: "DELETE",
    resource: target.resource,
    subresource: "",
    namespace: target.namespace,
    name: target.name,
    object: undefined,
    previous,
    user: context.user,
    dryRun: options.dryRun,
    warnings: context.warnings,
  };
  await admit(deps, request);
  await validateAdmission(deps, request);
}

function checkPreconditions(
  resource: ResourceDefinition,
  { metadata }: KubernetesObject,
  { preconditions }: DeleteOptions,
): void {
  const { uid, resourceVersion } = preconditions;
  if (uid !== undefined && uid !== metadata.uid) {
    throw ApiError.conflict(
      resource,
      metadata.name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw ApiError.conflict(
      resource,
      metadata.name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}

/** What a delete comes to for one version of an object. */
export type DeleteStep =
  /** Under way already: nothing changes. */
  | { readonly type: "pending" }
  | { readonly type: "mark"; readonly object: KubernetesObject }
  | { readonly type: "remove" };

/** Decides what a delete of `object` does: remove it, or mark it and wait. Pure. */
export function planDelete(
  resource: ResourceDefinition,
  object: KubernetesObject,
  options: Pick<DeleteOptions, "gracePeriodSeconds" | "propagationPolicy" | "orphanDependents">,
  nowMs: number,
): DeleteStep {
  const draft = draftOf(object) as Draft<KubernetesObject>;
  const meta = draft.metadata;
  if (isHeldNamespace(resource, object)) {
    if (meta.deletionTimestamp !== undefined) return { type: "pending" };
    meta.deletionTimestamp = formatTime(nowMs);
    const terminating = draft as { status?: Record<string, unknown> };
    terminating.status = { ...terminating.status, phase: "Terminating" };
    setFinalizers(meta, gcFinalizers(resource, object, options));
    return { type: "mark", object: draft as KubernetesObject };
  }
  const grace = graceOf(resource, object, options.gracePeriodSeconds);
  if (grace === "pending") return { type: "pending" };
  if (meta.deletionTimestamp === undefined) resource.prepareDelete?.(draft, nowMs);
  setFinalizers(meta, gcFinalizers(resource, draft as KubernetesObject, options));
  const waitsForFinalizers = (meta.finalizers ?? []).length > 0;
  if (grace !== undefined && grace > 0) markGraceful(meta, object, grace, nowMs);
  else if (waitsForFinalizers) markFinal(meta, nowMs);
  else return { type: "remove" };
  return equalJson(draft, object)
    ? { type: "pending" }
    : { type: "mark", object: draft as KubernetesObject };
}

/** The grace period that begins now, in seconds; undefined for none; "pending" where one runs that this does not shorten. */
function graceOf(
  resource: ResourceDefinition,
  object: KubernetesObject,
  requested: number | undefined,
): number | undefined | "pending" {
  const asked = requested !== undefined && requested < 0 ? 1 : requested;
  const grace = resource.deletionGraceSeconds?.(object, asked);
  const { deletionTimestamp, deletionGracePeriodSeconds: running } = object.metadata;
  if (resource.deletionGraceSeconds === undefined || deletionTimestamp === undefined) return grace;
  if (running === undefined || running === 0) return undefined;
  if (asked === undefined || asked >= running) return "pending";
  return asked;
}

type Meta = Draft<KubernetesObject["metadata"]>;

function markGraceful(meta: Meta, object: KubernetesObject, grace: number, nowMs: number): void {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata;
  const startedMs = parseTime(deletionTimestamp);
  if (startedMs === undefined) {
    meta.deletionTimestamp = formatTime(nowMs + grace * 1000);
    if (meta.generation !== undefined && meta.generation > 0) meta.generation += 1;
  } else {
    // Only ever earlier: the clock runs from the first delete.
    meta.deletionTimestamp = formatTime(startedMs + (grace - deletionGracePeriodSeconds) * 1000);
  }
  meta.deletionGracePeriodSeconds = grace;
}

function markFinal(meta: Meta, nowMs: number): void {
  if (
    meta.deletionTimestamp === undefined &&
    meta.generation !== undefined &&
    meta.generation > 0
  ) {
    meta.generation += 1;
  }
  const before = parseTime(meta.deletionTimestamp);
  if (before === undefined || before > nowMs) meta.deletionTimestamp = formatTime(nowMs);
  meta.deletionGracePeriodSeconds = 0;
}

function setFinalizers(meta: Meta, finalizers: readonly string[]): void {
  if (finalizers.length > 0) meta.finalizers = [...finalizers];
  else delete meta.finalizers;
}

/** The object's finalizers, with those by which the garbage collector learns what to do with the dependents. */
function gcFinalizers(
  resource: ResourceDefinition,
  object: KubernetesObject,
  options: Pick<DeleteOptions, "propagationPolicy" | "orphanDependents">,
): readonly string[] {
  const before = object.metadata.finalizers ?? [];
  const kept = before.filter(
    (finalizer) => finalizer !== orphanFinalizer && finalizer !== foregroundFinalizer,
  );
  const policy =
    policyOf(options) ??
    before.find((finalizer) => !kept.includes(finalizer)) ??
    (resource.orphansDependents === true ? orphanFinalizer : undefined);
  if (policy === "Orphan" || policy === orphanFinalizer) return [...kept, orphanFinalizer];
  if (policy === "Foreground" || policy === foregroundFinalizer) {
    return [...kept, foregroundFinalizer];
  }
  return kept;
}

function policyOf(
  options: Pick<DeleteOptions, "propagationPolicy" | "orphanDependents">,
): string | undefined {
  if (options.orphanDependents !== undefined) {
    return options.orphanDependents ? "Orphan" : "Background";
  }
  return options.propagationPolicy;
}

function withoutVersion(object: KubernetesObject): KubernetesObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata: metadata as KubernetesObject["metadata"] };
}
