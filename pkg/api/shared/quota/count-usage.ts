import type {
  ResourceQuota,
  ScopedResourceSelectorRequirement,
} from "../../generated/core-v1.generated.ts";
import type { KubernetesObject } from "../../object.ts";
import { addQuantities, type Quantity } from "../../quantity.ts";
import type { ResourceDefinition } from "../../resource.ts";
import { wholeQuantity } from "./amounts.ts";
import type { QuotaEvaluator } from "./evaluator.ts";
import { evaluatorOf } from "./evaluators.ts";

/** Where a quota's objects are read. */
export interface CountedWorld {
  /** Every kind there is; what is not stored in namespaces is left out. */
  readonly resources: readonly ResourceDefinition[];
  list(resource: ResourceDefinition, namespace: string): readonly KubernetesObject[];
}

/** All scopes of a quota; an object counts where it is in every one. */
export function scopesOf({ spec }: ResourceQuota): readonly ScopedResourceSelectorRequirement[] {
  return [
    ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" as const })),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ];
}

export function isInScopes(
  evaluator: QuotaEvaluator,
  object: KubernetesObject,
  scopes: readonly ScopedResourceSelectorRequirement[],
): boolean {
  return scopes.every((scope) => evaluator.isInScope?.(object, scope) === true);
}

/** How much the objects of a quota's namespace take of what it counts; what no kind there is counts for is left out. */
export function countUsage(
  quota: ResourceQuota,
  names: readonly string[],
  world: CountedWorld,
  nowMs: number,
): Map<string, Quantity> {
  const { namespace = "" } = quota.metadata;
  const scopes = scopesOf(quota);
  const used = new Map<string, Quantity>();
  for (const resource of world.resources) {
    if (resource.scope !== "namespace" || resource.storage !== "stored") continue;
    const evaluator = evaluatorOf(resource);
    const counted = new Set(names.filter((name) => evaluator?.counts(name) === true));
    if (evaluator === undefined || counted.size === 0) continue;
    for (const name of counted) if (!used.has(name)) used.set(name, wholeQuantity(0));
    for (const object of world.list(resource, namespace)) {
      if (!isInScopes(evaluator, object, scopes)) continue;
      for (const [name, amount] of evaluator.usage(object, nowMs)) {
        const sum = used.get(name);
        if (sum !== undefined && counted.has(name)) used.set(name, addQuantities(sum, amount));
      }
    }
  }
  return used;
}
