import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import { onceForAlike } from "../alike.ts";
import type { Cluster } from "../cluster.ts";
import { PlaceCounts } from "../place-counts.ts";
import { type PodTerm, termCovers } from "../pod-affinity.ts";
import type { PodInfo } from "../pod-info.ts";
import type { ClusterScore } from "../score.ts";

/** Prefers nodes with pods around that the pod wants to be with, or that want to be with it, and not those that keep apart. */
export const preferredPodsScore: ClusterScore = {
  name: "InterPodAffinity",
  weight: 2,
  prepare(pod, feasible, cluster) {
    const places = new PlaceCounts();
    addOpinionsOfOthers(places, pod, cluster);
    addOwnOpinions(places, pod, cluster);
    if (places.isEmpty) return undefined;
    const sums = feasible.map((node) => places.sum(node));
    const least = Math.min(...sums);
    const range = Math.max(...sums) - least;
    return sums.map((sum) => (range === 0 ? 0 : Math.floor(((sum - least) * 100) / range)));
  },
};

/** What the terms say of a pod, in the sum of their weights by place. */
function opinionsOn(
  pod: Pod,
  cluster: Cluster,
  terms: readonly PodTerm[],
  say: (topologyKey: string, weight: number) => void,
): void {
  const labels = cluster.namespaceLabels(pod.metadata.namespace ?? "");
  for (const term of terms) {
    if (termCovers(term, pod, labels)) say(term.topologyKey, term.weight);
  }
}

/** What others must be with, they like to have more of, too: it weighs 1, as upstream. */
function addOpinionsOfOthers(places: PlaceCounts, { pod }: PodInfo, cluster: Cluster): void {
  for (const { info, node } of cluster.podsWithAffinities()) {
    const { required = [], preferred = [], preferredAnti = [] } = info.affinities ?? {};
    opinionsOn(pod, cluster, [...required, ...preferred], (key, weight) =>
      places.add(key, node, weight),
    );
    opinionsOn(pod, cluster, preferredAnti, (key, weight) => places.add(key, node, -weight));
  }
}

function addOwnOpinions(places: PlaceCounts, { affinities }: PodInfo, cluster: Cluster): void {
  const { preferred = [], preferredAnti = [] } = affinities ?? {};
  const opinions = [
    ...preferred.map((term) => opinionOf(term, term.weight, cluster)),
    ...preferredAnti.map((term) => opinionOf(term, -term.weight, cluster)),
  ];
  if (opinions.length === 0) return;
  for (const node of cluster.nodes) {
    for (const other of node.pods.values()) {
      for (const { topologyKey, amount, covers } of opinions) {
        if (covers(other)) places.add(topologyKey, node, amount);
      }
    }
  }
}

function opinionOf(term: PodTerm, amount: number, cluster: Cluster) {
  const covers = onceForAlike((other) =>
    termCovers(term, other, cluster.namespaceLabels(other.metadata.namespace ?? "")),
  );
  return { topologyKey: term.topologyKey, amount, covers };
}
