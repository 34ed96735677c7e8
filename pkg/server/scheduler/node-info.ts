import type { Node } from "../../api/generated/core-v1.generated.ts";
import type { Amounts, HostPort, PodInfo } from "./pod-info.ts";

/** A node with what its pods take of it. */
export interface NodeInfo {
  readonly name: string;
  readonly node: Node;
  readonly allocatable: Amounts;
  readonly podsMax: number;
  readonly podCount: number;
  readonly requested: Amounts;
  readonly assumedUse: { readonly cpuMillis: number; readonly memoryBytes: number };
  readonly hostPorts: readonly HostPort[];
  /** By uid. */
  readonly pods: ReadonlyMap<string, PodInfo>;
}
