import type { Service } from "../../generated/core-v1.generated.ts";
import { one, wholeQuantity } from "./amounts.ts";
import type { QuotaEvaluator } from "./evaluator.ts";

const named: ReadonlySet<string> = new Set([
  "count/services",
  "services",
  "services.nodeports",
  "services.loadbalancers",
]);

/** Services count, and besides what they take of the nodes' ports and of the load balancers. */
export const serviceEvaluator: QuotaEvaluator<Service> = {
  counts: (name) => named.has(name),
  usage: ({ spec }) =>
    new Map([
      ["count/services", one],
      ["services", one],
      ["services.loadbalancers", wholeQuantity(spec?.type === "LoadBalancer" ? 1 : 0)],
      ["services.nodeports", wholeQuantity(nodePortsOf(spec))],
    ]),
  mayTakeMore: (subresource) => subresource === "",
  mayGiveBack: (next, previous) => takes(next) !== takes(previous),
};

/** What is asked for: the ports themselves are not yet given. */
function nodePortsOf(spec: Service["spec"]): number {
  const ports = spec?.ports ?? [];
  switch (spec?.type) {
    case "NodePort":
      return ports.length;
    case "LoadBalancer":
      return spec.allocateLoadBalancerNodePorts === false
        ? ports.filter((port) => (port.nodePort ?? 0) !== 0).length
        : ports.length;
    default:
      return 0;
  }
}

function takes({ spec }: Service): string {
  return `${spec?.type} ${nodePortsOf(spec)}`;
}
