import type { PriorityClass } from "../generated/scheduling-v1.generated.ts";
import type { NewObject } from "../object.ts";

/** Names that begin so are the system's own. */
export const systemPriorityPrefix = "system-";

const systemCriticalPriority = 2_000_000_000;

/** The classes that every cluster has, and that nobody can define otherwise. */
export const systemPriorityClasses: readonly NewObject<PriorityClass>[] = [
  {
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name: "system-node-critical" },
    value: systemCriticalPriority + 1000,
    description: "Used for system critical pods that must not be moved from their current node.",
  },
  {
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name: "system-cluster-critical" },
    value: systemCriticalPriority,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
];

/** Why a class with a name of the system's is none of its classes. */
export function checkSystemPriorityClass({
  metadata: { name },
  value,
  globalDefault = false,
}: Pick<PriorityClass, "metadata" | "value" | "globalDefault">): string | undefined {
  const known = systemPriorityClasses.find(({ metadata }) => metadata.name === name);
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known.value) return `value of ${name} PriorityClass must be ${known.value}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}
