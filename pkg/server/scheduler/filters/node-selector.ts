import { matchesMap } from "../../../api/labels.ts";
import { matchesNodeTerms } from "../../../api/node-selector.ts";
import type { NodeFilter } from "../filter.ts";

const rejection = {
  reasons: ["node(s) didn't match Pod's node affinity/selector"],
  roomWouldHelp: false,
};

/** Rejects nodes whose labels are not what the pod's `nodeSelector` and required node affinity ask for. */
export const nodeSelectorFilter: NodeFilter = {
  name: "NodeAffinity",
  reconsideredWhen: "node-changes",
  reject({ pod }, { node }) {
    const { nodeSelector = {}, affinity } = pod.spec;
    if (!matchesMap(nodeSelector, node.metadata.labels)) return rejection;
    const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (required === undefined || matchesNodeTerms(required.nodeSelectorTerms, node)) {
      return undefined;
    }
    return rejection;
  },
};
