import type { Node, Pod, TopologySpreadConstraint } from "../../api/generated/core-v1.generated.ts";
import { matchesMap, matchesSelector, type Selector, selectorOf } from "../../api/labels.ts";
import { matchesNodeTerms } from "../../api/node-selector.ts";
import { untoleratedTaint } from "../../api/shared/tolerations.ts";
import { onceForAlike } from "./alike.ts";
import type { NodeInfo } from "./node-info.ts";
import { placeOf } from "./place-counts.ts";
import { narrowed } from "./pod-affinity.ts";
import type { PodInfo } from "./pod-info.ts";

/** How evenly pods like this one are to lie over the places that a label of nodes tells apart. */
export interface SpreadConstraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: Selector;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
}

/** The pod's constraints of one strictness, each with its selector worked out. */
export function spreadConstraintsOf(
  { spec, metadata }: Pod,
  whenUnsatisfiable: TopologySpreadConstraint["whenUnsatisfiable"],
): readonly SpreadConstraint[] {
  return (spec.topologySpreadConstraints ?? [])
    .filter((constraint) => constraint.whenUnsatisfiable === whenUnsatisfiable)
    .map((constraint) => ({
      topologyKey: constraint.topologyKey,
      maxSkew: constraint.maxSkew,
      minDomains: constraint.minDomains ?? 1,
      selector: narrowed(
        selectorOf(constraint.labelSelector),
        metadata.labels,
        (constraint.matchLabelKeys ?? []).map((key) => ({ key, operator: "in" })),
      ),
      honorsAffinity: (constraint.nodeAffinityPolicy ?? "Honor") === "Honor",
      honorsTaints: constraint.nodeTaintsPolicy === "Honor",
    }));
}

/** Nodes without all of the labels are no place to any of the constraints. */
export function hasTopologies(
  { metadata }: Node,
  constraints: readonly SpreadConstraint[],
): boolean {
  return constraints.every(({ topologyKey }) => placeOf(metadata, topologyKey) !== undefined);
}

/** Whether the constraint speaks of a pod: one of the same namespace that it selects. */
export function coveredBy({ metadata }: Pod, { selector }: SpreadConstraint) {
  return onceForAlike(
    (other) =>
      other.metadata.namespace === metadata.namespace &&
      matchesSelector(selector, other.metadata.labels),
  );
}

/** How many pods that the constraint speaks of each place has, on nodes where this pod could be, too. */
export function countPlaces(
  { pod }: { readonly pod: Pod },
  nodes: readonly NodeInfo[],
  constraint: SpreadConstraint,
  constraints: readonly SpreadConstraint[],
): Map<string, number> {
  const counts = new Map<string, number>();
  const covers = coveredBy(pod, constraint);
  for (const info of nodes) {
    const place = placeOf(info.node.metadata, constraint.topologyKey);
    if (place === undefined || !hasTopologies(info.node, constraints)) continue;
    if (constraint.honorsAffinity && !isWanted(pod, info.node)) continue;
    if (constraint.honorsTaints && isTainted(pod, info.node)) continue;
    counts.set(place, (counts.get(place) ?? 0) + countCovered(info, covers));
  }
  return counts;
}

/** Pods on one node that the constraint speaks of; those that are leaving do not count. */
export function countCovered({ pods }: NodeInfo, covers: (info: PodInfo) => boolean): number {
  let count = 0;
  for (const info of pods.values()) {
    if (info.pod.metadata.deletionTimestamp === undefined && covers(info)) count += 1;
  }
  return count;
}

function isWanted({ spec }: Pod, node: Node): boolean {
  if (!matchesMap(spec.nodeSelector ?? {}, node.metadata.labels)) return false;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || matchesNodeTerms(required.nodeSelectorTerms, node);
}

function isTainted({ spec }: Pod, node: Node): boolean {
  const effects = ["NoSchedule", "NoExecute"] as const;
  return untoleratedTaint(node.spec.taints ?? [], spec.tolerations, effects) !== undefined;
}
