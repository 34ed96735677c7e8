import { matchesNodeTerms } from "../../../api/node-selector.ts";
import type { NodeScore } from "../score.ts";

/** Prefers nodes that the pod's preferred node affinity speaks for, by its weights. */
export const preferredNodesScore: NodeScore = {
  name: "NodeAffinity",
  weight: 2,
  scale: "most-is-best",
  rate({ pod }, { node }) {
    const preferred =
      pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    let sum = 0;
    for (const { preference, weight } of preferred) {
      if (matchesNodeTerms([preference], node)) sum += weight;
    }
    return sum;
  },
};
