import type { Pod, PodAffinityTerm } from "../generated/core-v1.generated.ts";
import type { LabelSelector } from "../generated/meta-v1.generated.ts";
import type { Draft } from "../object.ts";

/** Writes into a new pod's selectors what it says of its own labels by their keys alone. */
export function applyLabelKeys({ metadata: { labels }, spec }: Draft<Pod>): void {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  for (const affinity of [podAffinity, podAntiAffinity]) {
    const terms: Draft<PodAffinityTerm>[] = [
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
        ({ podAffinityTerm }) => podAffinityTerm,
      ),
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ];
    for (const { labelSelector, matchLabelKeys, mismatchLabelKeys } of terms) {
      addRequirements(labelSelector, "In", matchLabelKeys, labels);
      addRequirements(labelSelector, "NotIn", mismatchLabelKeys, labels);
    }
  }
  for (const { labelSelector, matchLabelKeys } of spec.topologySpreadConstraints ?? []) {
    addRequirements(labelSelector, "In", matchLabelKeys, labels);
  }
}

/** A selector that is not there selects nothing, and needs no more to do so. */
function addRequirements(
  selector: Draft<LabelSelector> | undefined,
  operator: "In" | "NotIn",
  keys: readonly string[] | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): void {
  if (selector === undefined) return;
  for (const key of keys ?? []) {
    const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (value === undefined) continue;
    selector.matchExpressions ??= [];
    selector.matchExpressions.push({ key, operator, values: [value] });
  }
}
