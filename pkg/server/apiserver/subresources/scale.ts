import { ApiError } from "../../../api/api-error.ts";
import { ageColumn, nameColumn } from "../../../api/columns.ts";
import { draftOf } from "../../../api/draft.ts";
import { invalid } from "../../../api/field-error.ts";
import { type Scale, scaleSchema } from "../../../api/generated/autoscaling-v1.generated.ts";
import type { Draft, KubernetesObject } from "../../../api/object.ts";
import { applyPatch } from "../../../api/patch/apply/apply-patch.ts";
import { conflictError } from "../../../api/patch/apply/conflicts.ts";
import {
  isJsonDraft,
  isJsonObject,
  type JsonDraft,
  type JsonObject,
} from "../../../api/patch/json-value.ts";
import { apiVersionOf, type ResourceDefinition, type ScaleMapping } from "../../../api/resource.ts";
import type { Schema } from "../../../api/schema.ts";
import { formatTime } from "../../../api/time.ts";
import { decodeAs } from "../decode-as.ts";
import { resetFieldsOf, trackFields } from "../managed-fields.ts";
import type { RequestContext } from "../request-context.ts";
import { readStored, type Target, updateStored } from "../resource-store.ts";
import type { PatchOptions } from "../verbs/patch.ts";
import type { ValueSubresource } from "./subresource.ts";

/** `scale`: how many of what, the same for every kind that has it. */
export const scaleSubresource: ValueSubresource = {
  name: "scale",
  isOf: (resource) => resource.subresources.scale !== undefined,
  body: {
    group: "autoscaling",
    version: "v1",
    kind: "Scale",
    schema: scaleSchema as unknown as Schema<KubernetesObject>,
    columns: [
      nameColumn,
      {
        name: "Desired",
        type: "integer",
        description: "How many are wanted.",
        cell: (scale) => numberAt(scale, "spec.replicas"),
      },
      {
        name: "Available",
        type: "integer",
        description: "How many there are.",
        cell: (scale) => numberAt(scale, "status.replicas"),
      },
      ageColumn,
    ],
  },
  get: (deps, target) => scaleOf(target.resource, readStored(deps, target).value),
  async update(deps, context, target, next, options) {
    const { resource } = target;
    const { specReplicas } = mappingOf(resource);
    const written = await updateStored(deps, context, {
      target,
      subresource: "scale",
      mayCreate: false,
      options,
      preconditions: {},
      next(previous) {
        if (previous === undefined) throw ApiError.notFound(resource, target.name);
        const scale = next(scaleOf(resource, previous)) as Draft<Scale>;
        const replicas = scale.spec?.replicas ?? 0;
        validate(scale, replicas);
        checkUid(target, scale, previous);
        const draft = draftOf(previous) as Draft<KubernetesObject>;
        writeAt(draft, specReplicas, replicas);
        draft.metadata.resourceVersion = scale.metadata.resourceVersion ?? "";
        const manager = options.fieldManager ?? context.fieldManager;
        trackFields(deps, resource, previous, draft, manager, "scale");
        return draft;
      },
    });
    return scaleOf(resource, written.stored.value);
  },
  async apply(deps, context, target, patch, options) {
    const { resource, name } = target;
    const sent = appliedScale(patch.object, options, context);
    const manager = options.fieldManager ?? context.fieldManager;
    const written = await updateStored(deps, context, {
      target,
      subresource: "scale",
      mayCreate: false,
      options,
      preconditions: {},
      next(previous) {
        if (previous === undefined) throw ApiError.notFound(resource, name);
        checkUid(target, sent, previous);
        const result = applyPatch({
          schema: resource.schema.object,
          live: previous as unknown as JsonObject,
          applied: parentOf(target, sent),
          manager,
          force: patch.force === true,
          apiVersion: apiVersionOf(resource),
          kind: resource.kind,
          subresource: "scale",
          resetFields: resetFieldsOf(resource, "scale"),
          nowRfc3339: formatTime(deps.clock.now()),
        });
        if (result.outcome === "conflicts") throw conflictError(result.conflicts);
        const draft = result.object as unknown as Draft<KubernetesObject>;
        const { specReplicas } = mappingOf(resource);
        writeAt(draft, specReplicas, numberAt(draft, specReplicas));
        draft.metadata.resourceVersion = sent.metadata.resourceVersion ?? "";
        return draft;
      },
    });
    return scaleOf(resource, written.stored.value);
  },
};

/** What was applied, checked as a Scale. Only what it says of `spec.replicas` counts. */
function appliedScale(
  sent: unknown,
  { fieldValidation, strictErrors = [] }: PatchOptions,
  context: RequestContext,
): Draft<Scale> {
  const kind = { group: "autoscaling", version: "v1", kind: "Scale" };
  const options = { fieldValidation, strictErrors };
  const decoded = decodeAs(kind, scaleSchema as unknown as Schema<KubernetesObject>, sent, options);
  context.warnings.push(...decoded.warnings);
  const scale = decoded.object as unknown as Draft<Scale>;
  validate(scale, scale.spec?.replicas ?? 0);
  return scale;
}

/** Who applies a Scale applies that one field of the object itself. */
function parentOf({ resource, name }: Target, { spec }: Draft<Scale>): JsonObject {
  const parent: JsonDraft = {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: { name },
  };
  if (spec?.replicas !== undefined) {
    writeAt(parent, mappingOf(resource).specReplicas, spec.replicas);
  }
  return parent;
}

function mappingOf(resource: ResourceDefinition): ScaleMapping {
  const { scale } = resource.subresources;
  if (scale === undefined) throw new Error(`${resource.plural} have no scale`);
  return scale;
}

function scaleOf(resource: ResourceDefinition, object: KubernetesObject): Scale {
  const mapping = mappingOf(resource);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = mapping.labelSelector(object);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      resourceVersion,
      creationTimestamp,
    },
    spec: { replicas: numberAt(object, mapping.specReplicas) },
    status: {
      replicas: numberAt(object, mapping.statusReplicas),
      ...(selector === "" ? {} : { selector }),
    },
  };
}

function validate(scale: Draft<Scale>, replicas: number): void {
  if (replicas >= 0) return;
  throw ApiError.invalid({ group: "autoscaling", kind: "Scale" }, scale.metadata.name ?? "", [
    invalid("spec.replicas", replicas, "must be greater than or equal to 0"),
  ]);
}

function checkUid(
  target: { readonly resource: ResourceDefinition; readonly name: string },
  scale: Draft<Scale>,
  previous: KubernetesObject,
): void {
  const { uid } = scale.metadata;
  if (!uid || uid === previous.metadata.uid) return;
  throw ApiError.conflict(
    target.resource,
    target.name,
    `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${previous.metadata.uid}`,
  );
}

/** Paths are as in `.spec.replicas`, and as in `spec.replicas`. */
function stepsOf(path: string): readonly string[] {
  return path.split(".").filter((step) => step !== "");
}

function numberAt(object: unknown, path: string): number {
  let value = object;
  for (const step of stepsOf(path)) value = isJsonObject(value) ? value[step] : undefined;
  return typeof value === "number" ? value : 0;
}

function writeAt(object: unknown, path: string, value: number): void {
  const steps = stepsOf(path);
  let parent = object;
  for (const step of steps.slice(0, -1)) {
    if (!isJsonDraft(parent)) return;
    parent[step] ??= {};
    parent = parent[step];
  }
  const last = steps.at(-1);
  if (last !== undefined && isJsonDraft(parent)) parent[last] = value;
}
