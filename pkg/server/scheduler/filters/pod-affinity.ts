import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import { onceForAlike } from "../alike.ts";
import type { Cluster } from "../cluster.ts";
import type { ClusterFilter, Rejection } from "../filter.ts";
import type { NodeInfo } from "../node-info.ts";
import { PlaceCounts } from "../place-counts.ts";
import { type PodTerm, termCovers } from "../pod-affinity.ts";
import type { PodInfo } from "../pod-info.ts";

const unmet: Rejection = {
  reasons: ["node(s) didn't match pod affinity rules"],
  roomWouldHelp: false,
};
const unwantedHere: Rejection = {
  reasons: ["node(s) didn't match pod anti-affinity rules"],
  roomWouldHelp: true,
};
const unwelcome: Rejection = {
  reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"],
  roomWouldHelp: true,
};

/** Rejects nodes where the pods around are not those the pod must be with, or where one of the two must not be with the other. */
export const podAffinityFilter: ClusterFilter = {
  name: "InterPodAffinity",
  reconsideredWhen: "pods-or-nodes-change",
  prepare(pod, cluster) {
    const keptAway = placesKept(pod, cluster);
    const { required = [], requiredAnti = [] } = pod.affinities ?? {};
    if (keptAway.isEmpty && required.length === 0 && requiredAnti.length === 0) return undefined;
    const { near, apart } = placesAsked(required, requiredAnti, cluster);
    const isFirst = near.isEmpty && coversAll(required, pod.pod, cluster);
    return (node) => {
      if (required.length > 0 && !isNear(required, near, node, isFirst)) return unmet;
      if (requiredAnti.some(({ topologyKey }) => apart.at(topologyKey, node) > 0))
        return unwantedHere;
      return keptAway.covers(node) ? unwelcome : undefined;
    };
  },
};

/** Where pods are that must not be with this one. */
function placesKept({ pod }: PodInfo, cluster: Cluster): PlaceCounts {
  const places = new PlaceCounts();
  const labels = cluster.namespaceLabels(pod.metadata.namespace ?? "");
  for (const { info, node } of cluster.podsWithAffinities()) {
    for (const term of info.affinities?.requiredAnti ?? []) {
      if (termCovers(term, pod, labels)) places.add(term.topologyKey, node, 1);
    }
  }
  return places;
}

/** Where pods are that this one must be with, and that it must not be with. */
function placesAsked(
  required: readonly PodTerm[],
  requiredAnti: readonly PodTerm[],
  cluster: Cluster,
): { readonly near: PlaceCounts; readonly apart: PlaceCounts } {
  const near = new PlaceCounts();
  const apart = new PlaceCounts();
  if (required.length === 0 && requiredAnti.length === 0) return { near, apart };
  const isAsked = onceForAlike((other) => coversAll(required, other, cluster));
  const avoided = requiredAnti.map((term) => ({
    term,
    covers: onceForAlike((other) => coversAll([term], other, cluster)),
  }));
  for (const node of cluster.nodes) {
    for (const other of node.pods.values()) {
      if (required.length > 0 && isAsked(other)) {
        for (const { topologyKey } of required) near.add(topologyKey, node, 1);
      }
      for (const { term, covers } of avoided) {
        if (covers(other)) apart.add(term.topologyKey, node, 1);
      }
    }
  }
  return { near, apart };
}

function coversAll(terms: readonly PodTerm[], pod: Pod, cluster: Cluster): boolean {
  const labels = cluster.namespaceLabels(pod.metadata.namespace ?? "");
  return terms.every((term) => termCovers(term, pod, labels));
}

/** The first of pods that want to be together finds nobody: it may be anywhere that has the labels. */
function isNear(
  required: readonly PodTerm[],
  near: PlaceCounts,
  node: NodeInfo,
  isFirst: boolean,
): boolean {
  const labels = node.node.metadata.labels ?? {};
  if (!required.every(({ topologyKey }) => Object.hasOwn(labels, topologyKey))) return false;
  return isFirst || required.every(({ topologyKey }) => near.at(topologyKey, node) > 0);
}
