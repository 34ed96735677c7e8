import type { Binding, Pod } from "../../../api/generated/core-v1.generated.ts";
import type { Draft } from "../../../api/object.ts";
import { nodeResource } from "../../../api/resources/node.ts";
import type { AdmissionPlugin, ObjectReader } from "./admission.ts";
import { isAbout } from "./refusal.ts";

const topologyLabels = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/** A pod that has a node has its zone and region as labels, too, where it has none of its own. */
export function createPodTopologyLabels(reader: ObjectReader): AdmissionPlugin {
  function label(metadata: Draft<Partial<Pod["metadata"]>>, nodeName: string | undefined): void {
    if (!nodeName) return;
    const labels = reader.get(nodeResource, undefined, nodeName)?.metadata.labels ?? {};
    for (const key of topologyLabels) {
      const value = labels[key];
      if (value === undefined || metadata.labels?.[key] !== undefined) continue;
      metadata.labels = { ...metadata.labels, [key]: value };
    }
  }
  return {
    name: "PodTopologyLabels",
    admit(request) {
      if (request.operation !== "CREATE") return;
      if (isAbout(request, "pods")) {
        const pod = request.object as Draft<Pod>;
        label(pod.metadata, pod.spec?.nodeName);
      } else if (isAbout(request, "pods/binding")) {
        const binding = request.object as Draft<Binding>;
        if (binding.target.kind === "Node") label(binding.metadata, binding.target.name);
      }
    },
  };
}
