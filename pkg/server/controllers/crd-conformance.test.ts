import { describe, expect, test } from "vitest";
import type { CustomResourceDefinition } from "../../api/custom/definition.ts";
import { planConformance } from "./crd-conformance.ts";

const now = Date.UTC(2026, 0, 1);
const annotation = "api-approved.kubernetes.io";

function crd(group: string, more: object = {}, approval?: string): CustomResourceDefinition {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `as.${group}`,
      uid: "u",
      resourceVersion: "1",
      creationTimestamp: "",
      ...(approval === undefined ? {} : { annotations: { [annotation]: approval } }),
    },
    spec: { group, names: { plural: "as", kind: "A" }, scope: "Cluster", versions: [], ...more },
  };
}

describe("a kind of the community's group says whether the community agreed", () => {
  test.each<readonly [string | undefined, string, string]>([
    [undefined, "False", "MissingAnnotation"],
    ["unapproved, an experiment", "False", "UnapprovedAnnotation"],
    ["https://github.com/kubernetes/kubernetes/pull/1", "True", "ApprovedAnnotation"],
    ["fine", "False", "InvalidAnnotation"],
  ])("%s", (approval, status, reason) => {
    expect(planConformance(crd("a.k8s.io", {}, approval), now)).toMatchObject([
      { type: "KubernetesAPIApprovalPolicyConformant", status, reason },
    ]);
  });

  test("and no other does", () => {
    expect(planConformance(crd("example.com"), now)).toEqual([]);
    expect(planConformance(crd("notk8s.io"), now)).toEqual([]);
  });
});

test("a schema from before there were rules is told of, and no longer once it follows them", () => {
  const version = { name: "v1", served: true, storage: true };
  const old = crd("example.com", {
    versions: [
      { ...version, schema: { openAPIV3Schema: { type: "object", properties: { a: {} } } } },
    ],
  });
  const conditions = planConformance(old, now);
  expect(conditions).toMatchObject([
    {
      type: "NonStructuralSchema",
      status: "True",
      reason: "Violations",
      message:
        "spec.versions[0].schema.openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields",
    },
  ]);
  const told = { ...old, status: { conditions } };
  expect(planConformance(told, now)).toBe(conditions);
  const mended = { ...told, spec: { ...told.spec, versions: [] } };
  expect(planConformance(mended, now)).toEqual([]);
});
