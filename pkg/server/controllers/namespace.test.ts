import { expect, test } from "vitest";
import type { Namespace } from "../../api/generated/core-v1.generated.ts";
import { planConditions } from "./namespace.ts";

const namespace: Namespace = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: {
    name: "shop",
    uid: "shop",
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
  spec: {},
  status: {},
};
const nowMs = Date.parse("2026-03-01T12:00:00Z");

test("what remains is told by kind, and what it waits for by finalizer", () => {
  const remaining = [
    { resource: "pods", count: 2, finalizers: {} },
    { resource: "deployments.apps", count: 3, finalizers: { "x/y": 2 } },
    { resource: "configmaps", count: 1, finalizers: { "x/y": 1 } },
  ];
  const conditions = planConditions(namespace, remaining, "refused", nowMs);
  expect(conditions.map(({ type, status, message }) => [type, status, message]).slice(2)).toEqual([
    [
      "NamespaceDeletionContentFailure",
      "True",
      "Failed to delete all resource types, 1 remaining: refused",
    ],
    [
      "NamespaceContentRemaining",
      "True",
      "Some resources are remaining: configmaps. has 1 resource instances, deployments.apps. has 3 resource instances, pods. has 2 resource instances",
    ],
    [
      "NamespaceFinalizersRemaining",
      "True",
      "Some content in the namespace has finalizers remaining: x/y in 3 resource instances",
    ],
  ]);
  const later = planConditions(
    { ...namespace, status: { conditions } },
    [],
    undefined,
    nowMs + 1_000,
  );
  expect(later.map(({ status }) => status)).toEqual(Array(5).fill("False"));
});
