import type { Filter } from "./filter.ts";
import { nodeNameFilter } from "./filters/node-name.ts";
import { nodePortsFilter } from "./filters/node-ports.ts";
import { nodeSelectorFilter } from "./filters/node-selector.ts";
import { podAffinityFilter } from "./filters/pod-affinity.ts";
import { resourcesFilter } from "./filters/resources.ts";
import { taintsFilter } from "./filters/taints.ts";
import { topologySpreadFilter } from "./filters/topology-spread.ts";
import { unschedulableFilter } from "./filters/unschedulable.ts";
import type { Score } from "./score.ts";
import { balancedAllocationScore } from "./scores/balanced-allocation.ts";
import { leastAllocatedScore } from "./scores/least-allocated.ts";
import { preferredNodesScore } from "./scores/preferred-nodes.ts";
import { preferredPodsScore } from "./scores/preferred-pods.ts";
import { preferredTaintsScore } from "./scores/preferred-taints.ts";
import { topologySpreadScore } from "./scores/topology-spread.ts";

/** What decides where pods go. */
export interface Profile {
  /** In upstream's order: the first that rejects a node gives the reason. */
  readonly filters: readonly Filter[];
  readonly scores: readonly Score[];
}

/** The scheduler `default-scheduler`. */
export const defaultProfile: Profile = {
  filters: [
    unschedulableFilter,
    nodeNameFilter,
    taintsFilter,
    nodeSelectorFilter,
    nodePortsFilter,
    resourcesFilter,
    topologySpreadFilter,
    podAffinityFilter,
  ],
  scores: [
    preferredTaintsScore,
    preferredNodesScore,
    topologySpreadScore,
    preferredPodsScore,
    leastAllocatedScore,
    balancedAllocationScore,
  ],
};
