import type { PodInfo } from "./pod-info.ts";
import type { NodeInfo } from "./snapshot.ts";

/** One opinion on where a pod is best placed. */
export interface Score {
  /** The name of upstream's plugin. */
  readonly name: string;
  readonly weight: number;
  /**
   * "absolute": `rate` answers 0 … 100. "most-is-best" and "least-is-best": any number that is not negative,
   * measured against the largest among the nodes in question.
   */
  readonly scale: "absolute" | "most-is-best" | "least-is-best";
  rate(pod: PodInfo, node: NodeInfo): number;
}
