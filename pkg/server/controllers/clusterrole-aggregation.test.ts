import { expect, test } from "vitest";
import type { ClusterRole, PolicyRule } from "../../api/generated/rbac-v1.generated.ts";
import { planAggregatedRules } from "./clusterrole-aggregation.ts";

const rule = (resource: string): PolicyRule => ({
  verbs: ["get"],
  apiGroups: [""],
  resources: [resource],
});

function role(
  name: string,
  rules: readonly PolicyRule[],
  label?: string,
  selects?: readonly string[],
): ClusterRole {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: {
      name,
      uid: name,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...(label === undefined ? {} : { labels: { [label]: "true" } }),
    },
    rules,
    ...(selects === undefined
      ? {}
      : {
          aggregationRule: {
            clusterRoleSelectors: selects.map((key) => ({ matchLabels: { [key]: "true" } })),
          },
        }),
  };
}

test("an aggregated role has the rules of those it selects, by name, each once", () => {
  const view = role("view", [rule("old")], "edit", ["view"]);
  const roles = [
    role("z", [rule("pods"), rule("events")], "view"),
    role("a", [rule("services"), rule("pods")], "view"),
    role("other", [rule("secrets")], "edit"),
    role("plain", [rule("nodes")]),
    view,
  ];
  expect(planAggregatedRules(view, roles)).toEqual([
    rule("services"),
    rule("pods"),
    rule("events"),
  ]);
});

test("a role does not select itself, and none selected is no rule", () => {
  const self = role("self", [rule("pods")], "x", ["x"]);
  expect(planAggregatedRules(self, [self])).toEqual([]);
});
