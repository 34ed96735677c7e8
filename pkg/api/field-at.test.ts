import { expect, test } from "vitest";
import { fieldAt, typeAt } from "./field-at.ts";
import { kubernetesObjectSchema } from "./kubernetes-schema.ts";

const pod = kubernetesObjectSchema("io.k8s.api.core.v1.Pod");

test("a field is found through objects, lists and maps", () => {
  expect(fieldAt(pod, ["spec", "containers", 3, "ports"])?.patchMergeKey).toBe("containerPort");
  expect(typeAt(pod, ["spec", "containers", 0, "resources", "limits", "cpu"])).toEqual({
    kind: "quantity",
  });
  expect(typeAt(pod, ["metadata", "labels", "app"])).toEqual({ kind: "string" });
});

test("what is no field has none, and what is unknown is undefined", () => {
  expect(fieldAt(pod, ["metadata", "labels", "app"])).toBeUndefined();
  expect(fieldAt(pod, ["spec", "containers", 0])).toBeUndefined();
  expect(typeAt(pod, ["spec", "nonsense", "name"])).toBeUndefined();
  expect(typeAt(pod, ["constructor"])).toBeUndefined();
  expect(typeAt(pod, ["spec", "containers", "name"])).toBeUndefined();
});
