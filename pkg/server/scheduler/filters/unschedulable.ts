import { tolerates } from "../../../api/shared/tolerations.ts";
import type { NodeFilter } from "../filter.ts";

const rejection = { reasons: ["node(s) were unschedulable"], roomWouldHelp: false };

/** Rejects nodes that are cordoned, unless the pod tolerates the taint that stands for it. */
export const unschedulableFilter: NodeFilter = {
  name: "NodeUnschedulable",
  reconsideredWhen: "node-changes",
  reject({ pod }, { node }) {
    if (node.spec.unschedulable !== true) return undefined;
    const taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" } as const;
    const tolerated = pod.spec.tolerations?.some((toleration) => tolerates(toleration, taint));
    return tolerated === true ? undefined : rejection;
  },
};
