import { placeOf } from "../place-counts.ts";
import type { ClusterScore } from "../score.ts";
import {
  countCovered,
  countPlaces,
  coveredBy,
  hasTopologies,
  spreadConstraintsOf,
} from "../spread-constraint.ts";

const hostname = "kubernetes.io/hostname";

/** Prefers places that have fewer of the pods among which this one would like to be spread evenly. */
export const topologySpreadScore: ClusterScore = {
  name: "PodTopologySpread",
  weight: 2,
  prepare(info, feasible, { nodes }) {
    const constraints = spreadConstraintsOf(info.pod, "ScheduleAnyway");
    if (constraints.length === 0) return undefined;
    const eligible = feasible.filter(({ node }) => hasTopologies(node, constraints));
    const rules = constraints.map((constraint) => {
      const { topologyKey, maxSkew } = constraint;
      const places = new Set(eligible.map(({ node }) => placeOf(node.metadata, topologyKey)));
      // Where places are many, a difference in one of them means less: upstream's measure.
      const weight = Math.log(places.size + 2);
      const counts =
        topologyKey === hostname ? undefined : countPlaces(info, nodes, constraint, constraints);
      return {
        constraint,
        counts,
        weight,
        base: maxSkew - 1,
        covers: coveredBy(info.pod, constraint),
      };
    });
    const rates = feasible.map((node) => {
      if (!hasTopologies(node.node, constraints)) return undefined;
      const sum = rules.reduce((total, { constraint, counts, weight, base, covers }) => {
        const place = placeOf(node.node.metadata, constraint.topologyKey) ?? "";
        const count = counts?.get(place) ?? (counts ? 0 : countCovered(node, covers));
        return total + count * weight + base;
      }, 0);
      return Math.round(sum);
    });
    const known = rates.filter((rate) => rate !== undefined);
    const most = Math.max(...known);
    const least = Math.min(...known);
    return rates.map((rate) => {
      if (rate === undefined) return 0;
      return most === 0 ? 100 : Math.floor((100 * (most + least - rate)) / most);
    });
  },
};
