import type { Container, Pod, PodAffinityTerm } from "../../generated/core-v1.generated.ts";
import type { Quantity } from "../../quantity.ts";
import { parseTime } from "../../time.ts";
import { podLimits, podRequests, qosClassOf } from "../pod-resources.ts";
import { isExtendedResource, isHugePagesResource, isNativeResource } from "../resource-names.ts";
import { type Amounts, amountsOf, one } from "./amounts.ts";
import { choosesOneOf, type QuotaEvaluator } from "./evaluator.ts";

const objectCount = "count/pods";
const requestsPrefix = "requests.";
const named: ReadonlySet<string> = new Set([
  objectCount,
  "pods",
  "cpu",
  "memory",
  "ephemeral-storage",
  "requests.cpu",
  "requests.memory",
  "requests.ephemeral-storage",
  "limits.cpu",
  "limits.memory",
  "limits.ephemeral-storage",
]);

/** Where these are counted, each container has to say how much it takes. For history's sake: there will be no others. */
const mustBeSaid: ReadonlySet<string> = new Set([
  "cpu",
  "memory",
  "requests.cpu",
  "requests.memory",
  "limits.cpu",
  "limits.memory",
]);

/** Pods count while they live, with what they ask for; `count/pods` counts those that ended, too. */
export const podEvaluator: QuotaEvaluator<Pod> = {
  counts: (name) =>
    named.has(name) ||
    name.startsWith("hugepages-") ||
    name.startsWith("requests.hugepages-") ||
    (name.startsWith(requestsPrefix) && !isNativeResource(name)),
  usage: podUsage,
  isInScope(pod, scope) {
    const { spec } = pod;
    switch (scope.scopeName) {
      case "Terminating":
        return isTerminating(pod);
      case "NotTerminating":
        return !isTerminating(pod);
      case "BestEffort":
        return isBestEffort(pod);
      case "NotBestEffort":
        return !isBestEffort(pod);
      case "PriorityClass":
        return choosesOneOf(scope, spec?.priorityClassName ? [spec.priorityClassName] : []);
      case "CrossNamespacePodAffinity":
        return affinityTerms(pod).some(
          (term) => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined,
        );
      default:
        return false;
    }
  },
  problem: unsaid,
  mayTakeMore(subresource, next, previous) {
    if (subresource === "resize") return true;
    return subresource === "" && isTerminating(next) !== isTerminating(previous);
  },
  mayGiveBack: (next, previous, nowMs) =>
    isTerminating(next) !== isTerminating(previous) ||
    (isCharged(previous, nowMs) && !isCharged(next, nowMs)) ||
    next.metadata.generation !== previous.metadata.generation,
};

/** A pod with a deadline. */
function isTerminating({ spec }: Pod): boolean {
  return (spec?.activeDeadlineSeconds ?? -1) >= 0;
}

function isBestEffort(pod: Pod): boolean {
  const { spec } = pod;
  if (spec === undefined) return true;
  return (pod.status?.qosClass ?? qosClassOf({ spec })) === "BestEffort";
}

function affinityTerms({ spec }: Pod): readonly PodAffinityTerm[] {
  return [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      (weighted) => weighted.podAffinityTerm,
    ),
  ]);
}

/** Not of those that ended, nor of those that should have: a lost node must not keep others from being made. */
function isCharged({ metadata, status }: Pod, nowMs: number): boolean {
  if (status?.phase === "Failed" || status?.phase === "Succeeded") return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  const deletionMs = parseTime(deletionTimestamp);
  if (deletionMs === undefined || deletionGracePeriodSeconds === undefined) return true;
  return nowMs <= deletionMs + deletionGracePeriodSeconds * 1000;
}

const ended: Amounts = new Map([[objectCount, one]]);
/** Of stored pods, which never change: a namespace is counted again at each deletion. */
const known = new WeakMap<Pod, Amounts>();

function podUsage(pod: Pod, nowMs: number): Amounts {
  const { spec } = pod;
  if (spec === undefined || !isCharged(pod, nowMs)) return ended;
  const before = known.get(pod);
  if (before !== undefined) return before;
  const usage = new Map([...ended, ["pods", one]]);
  charge(usage, podRequests({ spec }), podLimits({ spec }));
  if (Object.isFrozen(pod)) known.set(pod, usage);
  return usage;
}

function charge(usage: Map<string, Quantity>, requests: Amounts, limits: Amounts): void {
  for (const name of ["cpu", "memory", "ephemeral-storage"]) {
    const request = requests.get(name);
    if (request !== undefined) usage.set(name, request).set(`${requestsPrefix}${name}`, request);
    const limit = limits.get(name);
    if (limit !== undefined) usage.set(`limits.${name}`, limit);
  }
  for (const [name, request] of requests) {
    if (isHugePagesResource(name)) usage.set(name, request);
    if (isHugePagesResource(name) || isExtendedResource(name)) {
      usage.set(`${requestsPrefix}${name}`, request);
    }
  }
}

function unsaid({ spec }: Pod, names: readonly string[]): string | undefined {
  if (spec === undefined || hasPodLevelResources(spec)) return undefined;
  const required = names.filter((name) => mustBeSaid.has(name)).sort();
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const silent = required.flatMap((name) => {
    const those = containers.filter((container) => !says(container, name));
    if (those.length === 0) return [];
    const who = [...new Set(those.map((container) => container.name))].sort();
    return [`${name} for: ${who.join(",")}`];
  });
  return silent.length === 0 ? undefined : `must specify ${silent.join("; ")}`;
}

/** A pod that says for all its containers at once how much they take. */
function hasPodLevelResources({ resources }: NonNullable<Pod["spec"]>): boolean {
  return [resources?.requests, resources?.limits].some(
    (list) => Object.keys(list ?? {}).length > 0,
  );
}

function says({ resources = {} }: Container, name: string): boolean {
  const usage = new Map<string, Quantity>();
  charge(usage, amountsOf(resources.requests), amountsOf(resources.limits));
  return usage.has(name);
}
