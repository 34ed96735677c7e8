import type { PodTemplateSpec } from "../../../../api/generated/core-v1.generated.ts";
import { groupResourceOf } from "../../../../api/resource.ts";
import type { CheckedPod } from "./check.ts";

type ReadPod = (object: never) => Partial<CheckedPod> | undefined;

interface OfTemplate {
  readonly spec?: { readonly template?: PodTemplateSpec };
}

const inSpec: ReadPod = (object: OfTemplate) => object.spec?.template;

/** Where each kind that has pods keeps what they are made from. */
const readers: ReadonlyMap<string, ReadPod> = new Map<string, ReadPod>([
  ["pods", (pod: CheckedPod) => pod],
  ["podtemplates", (object: { readonly template?: PodTemplateSpec }) => object.template],
  ["replicationcontrollers", inSpec],
  ["replicasets.apps", inSpec],
  ["deployments.apps", inSpec],
  ["statefulsets.apps", inSpec],
  ["daemonsets.apps", inSpec],
  ["jobs.batch", inSpec],
  [
    "cronjobs.batch",
    (object: { readonly spec?: { readonly jobTemplate?: OfTemplate } }) =>
      object.spec?.jobTemplate?.spec?.template,
  ],
]);

/** The pod that an object is, or that it makes; undefined where it makes none. */
export function podOf(
  resource: { readonly group: string; readonly plural: string },
  object: unknown,
): CheckedPod | undefined {
  const pod = readers.get(groupResourceOf(resource))?.(object as never);
  if (pod?.spec === undefined) return undefined;
  return { metadata: pod.metadata ?? {}, spec: pod.spec };
}
