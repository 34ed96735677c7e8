import type { NodeFilter } from "../filter.ts";

const rejection = {
  reasons: ["node(s) didn't match the requested node name"],
  roomWouldHelp: false,
};

/** Rejects every node but the one that the pod names. */
export const nodeNameFilter: NodeFilter = {
  name: "NodeName",
  reconsideredWhen: "node-changes",
  reject({ pod }, { name }) {
    const { nodeName = "" } = pod.spec;
    return nodeName === "" || nodeName === name ? undefined : rejection;
  },
};
