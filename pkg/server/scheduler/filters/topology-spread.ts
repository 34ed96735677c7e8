import { matchesSelector } from "../../../api/labels.ts";
import type { ClusterFilter, Rejection } from "../filter.ts";
import { placeOf } from "../place-counts.ts";
import { countPlaces, hasTopologies, spreadConstraintsOf } from "../spread-constraint.ts";

const uneven: Rejection = {
  reasons: ["node(s) didn't match pod topology spread constraints"],
  roomWouldHelp: true,
};
const nowhere: Rejection = {
  reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"],
  roomWouldHelp: false,
};

/** Rejects nodes where one more pod like this would make a place differ too much from the emptiest one. */
export const topologySpreadFilter: ClusterFilter = {
  name: "PodTopologySpread",
  reconsideredWhen: "pods-or-nodes-change",
  prepare(info, { nodes }) {
    const constraints = spreadConstraintsOf(info.pod, "DoNotSchedule");
    if (constraints.length === 0) return undefined;
    const rules = constraints.map((constraint) => {
      const counts = countPlaces(info, nodes, constraint, constraints);
      const fewest = counts.size < constraint.minDomains ? 0 : Math.min(...counts.values());
      const self = matchesSelector(constraint.selector, info.pod.metadata.labels) ? 1 : 0;
      return { constraint, counts, most: fewest + constraint.maxSkew - self };
    });
    return ({ node }) => {
      if (!hasTopologies(node, constraints)) return nowhere;
      for (const { constraint, counts, most } of rules) {
        const place = placeOf(node.metadata, constraint.topologyKey) ?? "";
        if ((counts.get(place) ?? 0) > most) return uneven;
      }
      return undefined;
    };
  },
};
