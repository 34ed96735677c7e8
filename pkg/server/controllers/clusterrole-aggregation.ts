import type { ClusterRole, PolicyRule } from "../../api/generated/rbac-v1.generated.ts";
import { matchesSelector, selectorOf } from "../../api/labels.ts";
import { keyOf } from "../../api/object.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { clusterRoleResource } from "../../api/resources/clusterrole.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchMapped } from "../../client/watches.ts";

/**
 * The rules an aggregated role has: those of all roles that its selectors choose, each once, in the order of the
 * roles' names.
 *
 * @package
 */
export function planAggregatedRules(
  role: ClusterRole,
  roles: readonly ClusterRole[],
): readonly PolicyRule[] {
  const rules: PolicyRule[] = [];
  for (const labelSelector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const selector = selectorOf(labelSelector);
    const chosen = roles
      .filter((other) => other.metadata.name !== role.metadata.name)
      .filter((other) => matchesSelector(selector, other.metadata.labels))
      .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    for (const rule of chosen.flatMap((other) => other.rules ?? [])) {
      if (!rules.some((present) => equalJson(present, rule))) rules.push(rule);
    }
  }
  return rules;
}

/** Gives roles with an aggregation rule the rules of the roles that it selects. */
export function clusterRoleAggregationController(deps: {
  readonly client: Client;
  readonly clusterRoles: Informer<ClusterRole>;
}): Controller {
  const { client, clusterRoles: roles } = deps;
  const aggregated = () => roles.list().filter((role) => role.aggregationRule !== undefined);
  return {
    name: "clusterrole-aggregation",
    // A role may be chosen by any of the few that aggregate, by its old labels or by its new ones.
    watches: [watchMapped(roles, () => aggregated().map(keyOf))],
    async reconcile(key, signal) {
      const role = roles.get(key);
      if (role?.aggregationRule === undefined) return undefined;
      const rules = planAggregatedRules(role, roles.list());
      if (equalJson(rules, role.rules ?? [])) return undefined;
      await client.update(clusterRoleResource, { ...role, rules }, signal);
      return undefined;
    },
  };
}
