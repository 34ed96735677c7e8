import { untoleratedTaint } from "../../../api/shared/tolerations.ts";
import type { NodeFilter } from "../filter.ts";

const rejection = { reasons: ["node(s) had untolerated taint(s)"], roomWouldHelp: false };

/** Rejects nodes with a NoSchedule or NoExecute taint that the pod does not tolerate. */
export const taintsFilter: NodeFilter = {
  name: "TaintToleration",
  reconsideredWhen: "node-changes",
  reject({ pod }, { node }) {
    const { taints } = node.spec;
    if (taints === undefined || taints.length === 0) return undefined;
    const effects = ["NoSchedule", "NoExecute"] as const;
    return untoleratedTaint(taints, pod.spec.tolerations, effects) && rejection;
  },
};
