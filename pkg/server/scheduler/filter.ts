import type { PodInfo } from "./pod-info.ts";
import type { NodeInfo } from "./snapshot.ts";

/** Why a pod cannot run on a node. */
export interface Rejection {
  /** In upstream's words; they end up in the pod's condition and its event. */
  readonly reasons: readonly string[];
  /** Whether the pod would fit if pods of lower priority made room. */
  readonly roomWouldHelp: boolean;
}

/** One predicate: may this pod run on this node? Runs for each pod and node, so it must be quick and read only memory. */
export interface Filter {
  /** The name of upstream's plugin. */
  readonly name: string;
  /** What may change the answer for a pod that was rejected: a pod that leaves a node, or a change of the node itself. */
  readonly reconsideredWhen: "node-changes" | "pod-leaves-or-node-changes";
  /** Undefined: it may. */
  reject(pod: PodInfo, node: NodeInfo): Rejection | undefined;
}
