import type {
  Pod,
  PodAffinityTerm,
  WeightedPodAffinityTerm,
} from "../../api/generated/core-v1.generated.ts";
import { type Labels, matchesSelector, type Selector, selectorOf } from "../../api/labels.ts";

/** Which pods a term speaks of, and the label that says which nodes are one place to it. */
export interface PodTerm {
  readonly topologyKey: string;
  readonly weight: number;
  readonly selector: Selector;
  readonly namespaces: ReadonlySet<string>;
  /** Namespaces by their labels, besides those that are named. */
  readonly namespaceSelector: Selector;
}

/** What a pod asks of the pods around it. */
export interface PodAffinities {
  readonly required: readonly PodTerm[];
  readonly preferred: readonly PodTerm[];
  readonly requiredAnti: readonly PodTerm[];
  readonly preferredAnti: readonly PodTerm[];
}

/** Undefined for the many pods that ask nothing of others. */
export function podAffinitiesOf(pod: Pod): PodAffinities | undefined {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  if (podAffinity === undefined && podAntiAffinity === undefined) return undefined;
  const hard = (terms: readonly PodAffinityTerm[] = []) =>
    terms.map((term) => termOf(pod, term, 1));
  const soft = (terms: readonly WeightedPodAffinityTerm[] = []) =>
    terms.map(({ podAffinityTerm, weight }) => termOf(pod, podAffinityTerm, weight));
  return {
    required: hard(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferred: soft(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    requiredAnti: hard(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAnti: soft(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
  };
}

/** `namespaceLabels`: those of the namespace that `pod` is in. */
export function termCovers(
  term: PodTerm,
  { metadata }: Pod,
  namespaceLabels: Labels | undefined,
): boolean {
  const inNamespace =
    term.namespaces.has(metadata.namespace ?? "") ||
    matchesSelector(term.namespaceSelector, namespaceLabels);
  return inNamespace && matchesSelector(term.selector, metadata.labels);
}

function termOf({ metadata }: Pod, term: PodAffinityTerm, weight: number): PodTerm {
  const { namespaces = [], namespaceSelector, topologyKey } = term;
  const own = namespaces.length === 0 && namespaceSelector === undefined;
  const { matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  const selector = narrowed(selectorOf(term.labelSelector), metadata.labels, [
    ...matchLabelKeys.map((key) => ({ key, operator: "in" as const })),
    ...mismatchLabelKeys.map((key) => ({ key, operator: "notin" as const })),
  ]);
  return {
    topologyKey,
    weight,
    selector,
    namespaces: new Set(own ? [metadata.namespace ?? ""] : namespaces),
    namespaceSelector: selectorOf(namespaceSelector),
  };
}

/** The selector, with the pod's own values of labels for more requirements; labels it does not have say nothing. */
export function narrowed(
  selector: Selector,
  labels: Labels = {},
  keys: readonly { readonly key: string; readonly operator: "in" | "notin" }[],
): Selector {
  if ("matches" in selector) return selector;
  const more = keys
    .filter(({ key }) => Object.hasOwn(labels, key))
    .map(({ key, operator }) => ({ key, operator, values: [labels[key] ?? ""] }));
  return [...selector, ...more];
}
