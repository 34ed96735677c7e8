import { ApiError } from "../../../api/api-error.ts";
import { withCondition } from "../../../api/conditions.ts";
import { draftOf } from "../../../api/draft.ts";
import { notSupported, required } from "../../../api/field-error.ts";
import { type Binding, bindingSchema, type Pod } from "../../../api/generated/core-v1.generated.ts";
import type { Draft, KubernetesObject } from "../../../api/object.ts";
import type { FieldError } from "../../../api/resource.ts";
import { podResource } from "../../../api/resources/pod.ts";
import type { Schema } from "../../../api/schema.ts";
import { formatTime } from "../../../api/time.ts";
import { admit, type Target, updateStored, validateAdmission } from "../resource-store.ts";
import type { ValueSubresource } from "./subresource.ts";

/** `pods/binding`: gives a pod to a node, once. */
export const bindingSubresource: ValueSubresource = {
  name: "binding",
  isOf: (resource) => resource.group === "" && resource.plural === "pods",
  body: {
    group: "",
    version: "v1",
    kind: "Binding",
    schema: bindingSchema as unknown as Schema<KubernetesObject>,
  },
  async create(deps, context, target, body, options) {
    const binding = body as unknown as Binding;
    const errors = validate(binding);
    const { name = "" } = binding.metadata;
    if (name !== "" && name !== target.name) {
      throw ApiError.badRequest(
        `name in URL does not match name in Binding object: ${target.name} != ${name}`,
      );
    }
    if (errors.length > 0) throw ApiError.invalid({ group: "", kind: "Binding" }, name, errors);
    const request = {
      operation: "CREATE",
      resource: target.resource,
      subresource: "binding",
      namespace: target.namespace,
      name: target.name,
      object: binding,
      previous: undefined,
      user: context.user,
      dryRun: options.dryRun,
      warnings: context.warnings,
    } as const;
    await admit(deps, request);
    await validateAdmission(deps, request);
    const { uid, resourceVersion } = binding.metadata as Partial<Binding["metadata"]>;
    await updateStored({ ...deps, admission: [] }, context, {
      target,
      subresource: "binding",
      mayCreate: false,
      options,
      preconditions: {
        ...(uid === undefined || uid === "" ? {} : { uid }),
        ...(resourceVersion === undefined || resourceVersion === "" ? {} : { resourceVersion }),
      },
      next: (previous) => bound(target, binding, previous, deps.clock.now()),
    });
    return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
  },
};

function validate({ target }: Binding): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (target.kind !== undefined && target.kind !== "" && target.kind !== "Node") {
    errors.push(notSupported("target.kind", target.kind, ["Node", "<empty>"]));
  }
  if (target.name === undefined || target.name === "") errors.push(required("target.name"));
  return errors;
}

function bound(
  { name }: Target,
  binding: Binding,
  previous: KubernetesObject | undefined,
  nowMs: number,
): Draft<KubernetesObject> {
  const pod = draftOf(previous) as Draft<Pod>;
  const refuse = (why: string) =>
    ApiError.conflict({ group: "", plural: "pods/binding" }, name, why);
  if (pod.metadata.deletionTimestamp !== undefined) {
    throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  }
  const assigned = pod.spec?.nodeName ?? "";
  if (assigned !== "") throw refuse(`pod ${name} is already assigned to node "${assigned}"`);
  if ((pod.spec?.schedulingGates ?? []).length > 0) {
    throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  }
  pod.spec = { ...pod.spec, nodeName: binding.target.name ?? "" } as Draft<Pod>["spec"];
  const { labels, annotations } = binding.metadata;
  if (annotations !== undefined) {
    pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
  }
  if (labels !== undefined) pod.metadata.labels = { ...labels, ...pod.metadata.labels };
  const conditions = withCondition(pod.status?.conditions, {
    type: "PodScheduled",
    status: "True",
    lastTransitionTime: formatTime(nowMs),
    observedGeneration: pod.metadata.generation ?? 0,
  });
  pod.status = { ...pod.status, conditions: draftOf(conditions) } as Draft<Pod>["status"];
  return pod as unknown as Draft<KubernetesObject>;
}

/** The pod that a Binding posted to `bindings` is about. */
export function bindingTarget(
  namespace: string | undefined,
  body: { readonly metadata: { readonly name?: string } },
): Target {
  const resource = podResource as unknown as Target["resource"];
  return { resource, namespace, name: body.metadata.name ?? "" };
}
