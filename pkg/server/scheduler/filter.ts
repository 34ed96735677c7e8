import type { Cluster } from "./cluster.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

/** Why a pod cannot run on a node. */
export interface Rejection {
  /** In upstream's words; they end up in the pod's condition and its event. */
  readonly reasons: readonly string[];
  /** Whether the pod would fit if pods of lower priority made room. */
  readonly roomWouldHelp: boolean;
}

interface FilterBase {
  /** The name of upstream's plugin. */
  readonly name: string;
  /**
   * What may change the answer for a pod that was rejected, besides a change of a node: nothing, a pod that leaves one,
   * or any pod that comes, goes or changes its labels.
   */
  readonly reconsideredWhen: "node-changes" | "pod-leaves-or-node-changes" | "pods-or-nodes-change";
}

/** One predicate: may this pod run on this node? Runs for each pod and node, so it must be quick and read only memory. */
export interface NodeFilter extends FilterBase {
  /** Undefined: it may. */
  reject(pod: PodInfo, node: NodeInfo): Rejection | undefined;
}

/** A predicate that looks at the other nodes as well: that is done once for a pod. */
export interface ClusterFilter extends FilterBase {
  /** The predicate for this pod; undefined where it has nothing to say of it. */
  prepare(pod: PodInfo, cluster: Cluster): ((node: NodeInfo) => Rejection | undefined) | undefined;
}

export type Filter = NodeFilter | ClusterFilter;
