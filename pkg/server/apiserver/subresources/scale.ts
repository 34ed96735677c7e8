import { ApiError } from "../../../api/api-error.ts";
import { draftOf } from "../../../api/draft.ts";
import { invalid } from "../../../api/field-error.ts";
import { type Scale, scaleSchema } from "../../../api/generated/autoscaling-v1.generated.ts";
import type { Draft, KubernetesObject } from "../../../api/object.ts";
import { isJsonDraft, isJsonObject } from "../../../api/patch/json-value.ts";
import type { ResourceDefinition, ScaleMapping } from "../../../api/resource.ts";
import type { Schema } from "../../../api/schema.ts";
import { trackFields } from "../managed-fields.ts";
import { readStored, updateStored } from "../resource-store.ts";
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
};

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
