import type { Filter, Rejection } from "./filter.ts";
import type { PodInfo } from "./pod-info.ts";
import type { Profile } from "./profile.ts";
import type { Score } from "./score.ts";
import type { NodeInfo } from "./snapshot.ts";

export type Decision =
  | { readonly outcome: "placed"; readonly nodeName: string }
  | {
      readonly outcome: "unschedulable";
      /** As it stands in the pod's condition and its event. */
      readonly message: string;
      /** The filters that rejected a node: what can make a difference. */
      readonly rejectedBy: ReadonlySet<Filter>;
    };

export interface DecisionInput {
  readonly pod: PodInfo;
  readonly nodes: readonly NodeInfo[];
  readonly profile: Profile;
  /** Where among the nodes to begin to look: so that no node is always the first. */
  readonly startAt: number;
  /** A number in [0, 1): picks among nodes that are equally good. */
  readonly random: () => number;
}

/** Below this many nodes that would do, all nodes are looked at. */
const enoughNodesMin = 100;

/** Where the pod should run, or why it cannot run anywhere. */
export function schedulePod(input: DecisionInput): Decision {
  const { pod, nodes, profile, startAt } = input;
  if (nodes.length === 0) {
    return {
      outcome: "unschedulable",
      message: "no nodes available to schedule pods",
      rejectedBy: new Set(profile.filters),
    };
  }
  const enough = enoughNodes(nodes.length);
  const feasible: NodeInfo[] = [];
  const rejections: Rejection[] = [];
  const rejectedBy = new Set<Filter>();
  for (let index = 0; index < nodes.length && feasible.length < enough; index++) {
    const node = nodes[(startAt + index) % nodes.length];
    if (node === undefined) continue;
    const rejected = firstRejection(profile.filters, pod, node);
    if (rejected === undefined) {
      feasible.push(node);
    } else {
      rejections.push(rejected.rejection);
      rejectedBy.add(rejected.filter);
    }
  }
  const best = bestOf(feasible, input);
  if (best !== undefined) return { outcome: "placed", nodeName: best.name };
  return { outcome: "unschedulable", message: explain(rejections), rejectedBy };
}

/** In a large cluster a good node is enough; looking for the best one costs more than it gains. */
function enoughNodes(count: number): number {
  if (count < enoughNodesMin) return count;
  const percent = Math.max(5, 50 - Math.floor(count / 125));
  return Math.max(enoughNodesMin, Math.floor((count * percent) / 100));
}

function firstRejection(
  filters: readonly Filter[],
  pod: PodInfo,
  node: NodeInfo,
): { readonly filter: Filter; readonly rejection: Rejection } | undefined {
  for (const filter of filters) {
    const rejection = filter.reject(pod, node);
    if (rejection !== undefined) return { filter, rejection };
  }
  return undefined;
}

function bestOf(feasible: readonly NodeInfo[], input: DecisionInput): NodeInfo | undefined {
  if (feasible.length <= 1) return feasible[0];
  const totals = new Array<number>(feasible.length).fill(0);
  for (const score of input.profile.scores) addScore(totals, feasible, score, input.pod);

  let best: NodeInfo | undefined;
  let bestTotal = -1;
  let ties = 0;
  feasible.forEach((node, index) => {
    const total = totals[index] ?? 0;
    if (total > bestTotal) {
      best = node;
      bestTotal = total;
      ties = 1;
    } else if (total === bestTotal) {
      ties += 1;
      if (input.random() * ties < 1) best = node;
    }
  });
  return best;
}

function addScore(totals: number[], nodes: readonly NodeInfo[], score: Score, pod: PodInfo): void {
  const rates = nodes.map((node) => score.rate(pod, node));
  const most = score.scale === "absolute" ? 100 : Math.max(...rates);
  rates.forEach((rate, index) => {
    totals[index] = (totals[index] ?? 0) + score.weight * normalize(rate, most, score.scale);
  });
}

function normalize(rate: number, most: number, scale: Score["scale"]): number {
  switch (scale) {
    case "absolute":
      return rate;
    case "most-is-best":
      return most === 0 ? 0 : Math.floor((rate * 100) / most);
    case "least-is-best":
      return most === 0 ? 100 : 100 - Math.floor((rate * 100) / most);
  }
}

/** As upstream says it: how many nodes there are, and how many of them each reason rules out. */
function explain(rejections: readonly Rejection[]): string {
  const head = `0/${rejections.length} nodes are available`;
  const reasons = tally(rejections.flatMap((rejection) => rejection.reasons));
  const preemption = tally(
    rejections.map(({ roomWouldHelp }) =>
      roomWouldHelp
        ? "No preemption victims found for incoming pod"
        : "Preemption is not helpful for scheduling",
    ),
  );
  return `${head}: ${reasons}. no new claims to deallocate, preemption: ${head}: ${preemption}.`;
}

function tally(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(", ");
}
