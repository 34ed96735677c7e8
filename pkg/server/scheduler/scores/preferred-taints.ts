import { tolerates } from "../../../api/shared/tolerations.ts";
import type { NodeScore } from "../score.ts";

/** Prefers nodes with fewer PreferNoSchedule taints that the pod does not tolerate. */
export const preferredTaintsScore: NodeScore = {
  name: "TaintToleration",
  weight: 3,
  scale: "least-is-best",
  rate({ pod }, { node }) {
    const { tolerations = [] } = pod.spec;
    const untolerated = (node.spec.taints ?? []).filter(
      (taint) =>
        taint.effect === "PreferNoSchedule" &&
        !tolerations.some((toleration) => tolerates(toleration, taint)),
    );
    return untolerated.length;
  },
};
