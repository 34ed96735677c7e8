import type { Labels } from "../../api/labels.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

/** A pod where it is. */
export interface PlacedPod {
  readonly info: PodInfo;
  readonly node: NodeInfo;
}

/** What a decision may look at beyond the node in question. */
export interface Cluster {
  /** The nodes that exist, in the order in which they came. */
  readonly nodes: readonly NodeInfo[];
  /** Those of the placed pods that ask something of the pods around them. */
  podsWithAffinities(): Iterable<PlacedPod>;
  namespaceLabels(name: string): Labels | undefined;
}
