import type { Cluster } from "./cluster.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

interface ScoreBase {
  /** The name of upstream's plugin. */
  readonly name: string;
  readonly weight: number;
}

/** One opinion on where a pod is best placed. */
export interface NodeScore extends ScoreBase {
  /**
   * "absolute": `rate` answers 0 … 100. "most-is-best" and "least-is-best": any number that is not negative,
   * measured against the largest among the nodes in question.
   */
  readonly scale: "absolute" | "most-is-best" | "least-is-best";
  rate(pod: PodInfo, node: NodeInfo): number;
}

/** An opinion that looks at the whole cluster: that is done once for a pod. */
export interface ClusterScore extends ScoreBase {
  /** For each of the `feasible` nodes 0 … 100, in their order; undefined where it has no opinion on this pod. */
  prepare(
    pod: PodInfo,
    feasible: readonly NodeInfo[],
    cluster: Cluster,
  ): readonly number[] | undefined;
}

export type Score = NodeScore | ClusterScore;
