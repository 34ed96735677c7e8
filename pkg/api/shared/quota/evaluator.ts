import type { ScopedResourceSelectorRequirement } from "../../generated/core-v1.generated.ts";
import type { KubernetesObject } from "../../object.ts";
import type { Amounts } from "./amounts.ts";

/** How one kind counts against quotas. */
export interface QuotaEvaluator<T extends KubernetesObject = KubernetesObject> {
  /** Whether a quota's amount of this name is about this kind. */
  counts(name: string): boolean;
  /** How much of everything an object takes. */
  usage(object: T, nowMs: number): Amounts;
  /** Whether an object is in a scope. Kinds without scopes are in none. */
  isInScope?(object: T, scope: ScopedResourceSelectorRequirement): boolean;
  /** Why an object may not be where these are counted: it has to say something about them. */
  problem?(object: T, names: readonly string[]): string | undefined;
  /** Whether a write that is no creation may take more, or something else, than before. */
  mayTakeMore?(subresource: string, next: T, previous: T): boolean;
  /** Whether a change that nobody asks admission for may give something back. */
  mayGiveBack?(next: T, previous: T, nowMs: number): boolean;
}

/** Whether a scope's values choose an object that has these; one that has none is chosen by what is not said. */
export function choosesOneOf(
  { operator, values = [] }: ScopedResourceSelectorRequirement,
  names: readonly string[],
): boolean {
  switch (operator) {
    case "In":
      return names.some((name) => values.includes(name));
    case "NotIn":
      return names.length === 0 || names.some((name) => !values.includes(name));
    case "DoesNotExist":
      return names.length === 0;
    default:
      return names.length > 0;
  }
}
