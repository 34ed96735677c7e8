import type { Cluster } from "./cluster.ts";
import type { Filter, Rejection } from "./filter.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";
import type { Profile } from "./profile.ts";
import type { NodeScore } from "./score.ts";

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
  readonly cluster: Cluster;
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
  const { pod, cluster, profile, startAt } = input;
  const { nodes } = cluster;
  if (nodes.length === 0) {
    return {
      outcome: "unschedulable",
      message: "no nodes available to schedule pods",
      rejectedBy: new Set(profile.filters),
    };
  }
  const checks = checksOf(profile.filters, pod, cluster);
  const enough = enoughNodes(nodes.length);
  const feasible: NodeInfo[] = [];
  const rejections: Rejected[] = [];
  const rejectedBy = new Set<Filter>();
  for (let index = 0; index < nodes.length && feasible.length < enough; index++) {
    const node = nodes[(startAt + index) % nodes.length];
    if (node === undefined) continue;
    const rejected = firstRejection(checks, node);
    if (rejected === undefined) {
      feasible.push(node);
    } else {
      rejections.push(rejected);
      rejectedBy.add(rejected.filter);
    }
  }
  const best = bestOf(feasible, input);
  if (best !== undefined) return { outcome: "placed", nodeName: best.name };
  return { outcome: "unschedulable", message: explain(rejections, pod), rejectedBy };
}

/** In a large cluster a good node is enough; looking for the best one costs more than it gains. */
function enoughNodes(count: number): number {
  if (count < enoughNodesMin) return count;
  const percent = Math.max(5, 50 - Math.floor(count / 125));
  return Math.max(enoughNodesMin, Math.floor((count * percent) / 100));
}

/** A filter as it stands for one pod. */
interface Check {
  readonly filter: Filter;
  reject(node: NodeInfo): Rejection | undefined;
}

interface Rejected {
  readonly filter: Filter;
  readonly rejection: Rejection;
  readonly node: NodeInfo;
}

function checksOf(filters: readonly Filter[], pod: PodInfo, cluster: Cluster): readonly Check[] {
  const checks: Check[] = [];
  for (const filter of filters) {
    if ("reject" in filter) {
      checks.push({ filter, reject: (node) => filter.reject(pod, node) });
      continue;
    }
    const reject = filter.prepare(pod, cluster);
    if (reject !== undefined) checks.push({ filter, reject });
  }
  return checks;
}

function firstRejection(checks: readonly Check[], node: NodeInfo): Rejected | undefined {
  for (const { filter, reject } of checks) {
    const rejection = reject(node);
    if (rejection !== undefined) return { filter, rejection, node };
  }
  return undefined;
}

function bestOf(feasible: readonly NodeInfo[], input: DecisionInput): NodeInfo | undefined {
  if (feasible.length <= 1) return feasible[0];
  const totals = new Array<number>(feasible.length).fill(0);
  for (const score of input.profile.scores) {
    const rates =
      "rate" in score
        ? ratesOf(score, feasible, input.pod)
        : score.prepare(input.pod, feasible, input.cluster);
    rates?.forEach((rate, index) => {
      totals[index] = (totals[index] ?? 0) + score.weight * rate;
    });
  }

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

function ratesOf(score: NodeScore, nodes: readonly NodeInfo[], pod: PodInfo): readonly number[] {
  const rates = nodes.map((node) => score.rate(pod, node));
  const most = score.scale === "absolute" ? 100 : Math.max(...rates);
  return rates.map((rate) => normalize(rate, most, score.scale));
}

function normalize(rate: number, most: number, scale: NodeScore["scale"]): number {
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
function explain(rejected: readonly Rejected[], pod: PodInfo): string {
  const head = `0/${rejected.length} nodes are available`;
  const reasons = tally(rejected.flatMap(({ rejection }) => rejection.reasons));
  return `${head}: ${reasons}. no new claims to deallocate, preemption: ${preemption(head, rejected, pod)}.`;
}

/** What became of making room: mini8s takes no pod off a node for another one, and does not claim to have tried. */
function preemption(
  head: string,
  rejected: readonly Rejected[],
  { pod, priority }: PodInfo,
): string {
  if (pod.spec.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const outcomes = rejected.map(({ rejection, node }) => {
    if (!rejection.roomWouldHelp) return "Preemption is not helpful for scheduling";
    const hasLesser = [...node.pods.values()].some((other) => other.priority < priority);
    return hasLesser
      ? "node(s) have pods of lower priority, which mini8s does not preempt: delete or move some of them"
      : "No preemption victims found for incoming pod";
  });
  return `${head}: ${tally(outcomes)}`;
}

function tally(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(", ");
}
