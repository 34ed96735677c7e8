import type { LabelSelector } from "../generated/meta-v1.generated.ts";
import { formatSelector, selectorOf } from "../labels.ts";
import type { KubernetesObject } from "../object.ts";
import type { ScaleMapping } from "../resource.ts";

/** How `scale` reads and writes a kind that has `spec.replicas`, `spec.selector` and `status.replicas`. */
export const workloadScale: ScaleMapping = {
  specReplicas: "spec.replicas",
  statusReplicas: "status.replicas",
  labelSelector: (object) => formatSelector(selectorOf(selectorIn(object))),
};

function selectorIn(object: KubernetesObject): LabelSelector | undefined {
  return (object as KubernetesObject & { readonly spec?: { readonly selector?: LabelSelector } })
    .spec?.selector;
}
