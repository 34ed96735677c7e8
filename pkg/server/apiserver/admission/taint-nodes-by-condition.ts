import type { Node } from "../../../api/generated/core-v1.generated.ts";
import type { Draft } from "../../../api/object.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isAbout } from "./refusal.ts";

const key = "node.kubernetes.io/not-ready";

/** No pod is placed on a new node before the node has said that it is ready. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  admit(request) {
    if (request.operation !== "CREATE" || !isAbout(request, "nodes")) return;
    const node = request.object as Draft<Node>;
    node.spec ??= {};
    const taints = node.spec.taints ?? [];
    if (taints.some((taint) => taint.key === key && taint.effect === "NoSchedule")) return;
    node.spec.taints = [...taints, { key, effect: "NoSchedule" }];
  },
};
