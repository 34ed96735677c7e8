import { expect, test } from "vitest";
import type { ResourceQuota } from "../../api/generated/core-v1.generated.ts";
import type { KubernetesObject } from "../../api/object.ts";
import type { ResourceDefinition } from "../../api/resource.ts";
import { configMapResource } from "../../api/resources/configmap.ts";
import { nodeResource } from "../../api/resources/node.ts";
import { podResource } from "../../api/resources/pod.ts";
import { planQuotaStatus } from "./resourcequota.ts";

const nowMs = Date.parse("2026-01-01T00:00:00Z");

const quota = (spec: object, status: object = {}) =>
  ({ metadata: { name: "q", namespace: "shop" }, spec, status }) as unknown as ResourceQuota;

const pod = (cpu: string, fields: object = {}) =>
  ({
    metadata: { name: "p", namespace: "shop" },
    spec: { containers: [{ name: "c", resources: { requests: { cpu } } }] },
    ...fields,
  }) as unknown as KubernetesObject;

/** The objects of namespace `shop`, by their kind's plural. */
const worldOf = (objects: Readonly<Record<string, readonly KubernetesObject[]>>) => ({
  resources: [podResource, configMapResource, nodeResource] as unknown as ResourceDefinition[],
  list: ({ plural }: ResourceDefinition, namespace: string) =>
    namespace === "shop" ? (objects[plural] ?? []) : [],
});

test("what is there is counted, of every kind that the quota names", () => {
  const world = worldOf({
    pods: [pod("100m"), pod("1"), pod("5", { status: { phase: "Failed" } })],
    configmaps: [pod("1")],
    nodes: [pod("1")],
  });
  const hard = { pods: "2", cpu: "2", "count/configmaps": "9", "count/nodes": "1" };
  expect(planQuotaStatus(quota({ hard }), world, nowMs)).toEqual({
    isChanged: true,
    status: {
      hard: { "count/configmaps": "9", "count/nodes": "1", cpu: "2", pods: "2" },
      used: { "count/configmaps": "1", cpu: "1100m", pods: "2" },
    },
  });
});

test("only what is in all of its scopes is counted", () => {
  const world = worldOf({
    pods: [
      pod("1", { spec: { containers: [], activeDeadlineSeconds: 5 } }),
      pod("1"),
      pod("1", { spec: { containers: [], priorityClassName: "high" } }),
    ],
  });
  const scopeSelector = {
    matchExpressions: [{ scopeName: "PriorityClass", operator: "DoesNotExist" }],
  };
  const spec = { hard: { pods: "9" }, scopes: ["NotTerminating"], scopeSelector };
  expect(planQuotaStatus(quota(spec), world, nowMs).status.used).toEqual({ pods: "1" });
});

test.each([
  ["what is so already", { hard: { pods: "1" }, used: { pods: "0" } }, false, { pods: "0" }],
  [
    "what is written otherwise",
    { hard: { pods: "1000m" }, used: { pods: "0" } },
    false,
    { pods: "0" },
  ],
  ["another bound", { hard: { pods: "2" }, used: { pods: "0" } }, true, { pods: "0" }],
  ["another count", { hard: { pods: "1" }, used: { pods: "1" } }, true, { pods: "0" }],
  [
    "a bound that is gone",
    { hard: { pods: "1" }, used: { pods: "0", secrets: "3" } },
    true,
    { pods: "0" },
  ],
])("%s is written only where it changes something", (_what, status, isChanged, used) => {
  const plan = planQuotaStatus(quota({ hard: { pods: "1" } }, status), worldOf({}), nowMs);
  expect(plan.isChanged).toBe(isChanged);
  expect(plan.status.used).toEqual(used);
});

test("what no kind counts for keeps its count: the kind may come back", () => {
  const hard = { "count/widgets.example.com": "5" };
  const status = { hard, used: { "count/widgets.example.com": "2" } };
  expect(planQuotaStatus(quota({ hard }, status), worldOf({}), nowMs).status.used).toEqual(
    status.used,
  );
});
