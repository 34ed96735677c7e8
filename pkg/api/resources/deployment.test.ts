import { describe, expect, test } from "vitest";
import { createdFromYaml, problemsOf } from "../../../test/support/decode-yaml.ts";
import type { Deployment } from "../generated/apps-v1.generated.ts";
import { deploymentResource } from "./deployment.ts";

const template =
  "template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: nginx}]}}";

function deployment(spec: string, annotations = "{}"): Deployment {
  return createdFromYaml(
    deploymentResource,
    `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, annotations: ${annotations}}, spec: ${spec}}`,
  );
}

const plain = `{selector: {matchLabels: {app: web}}, ${template}}`;

test("what a client leaves out is filled in", () => {
  const { spec, status } = deployment(plain);
  expect(spec).toMatchObject({
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
    template: { spec: { restartPolicy: "Always", terminationGracePeriodSeconds: 30 } },
  });
  // Upstream fills this in for pods alone.
  expect(spec.template.spec.enableServiceLinks).toBe(undefined);
  expect(status).toEqual({});
});

describe("what is wrong with a deployment is said in upstream's words", () => {
  test.each<[string, string[]]>([
    [plain, []],
    [
      `{selector: {matchLabels: {app: other}}, ${template}}`,
      ["spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`"],
    ],
    [
      `{selector: {}, ${template}}`,
      ["spec.selector: Invalid value: empty selector is invalid for deployment"],
    ],
    [
      `{replicas: -1, selector: {matchLabels: {app: web}}, ${template}}`,
      ["spec.replicas: Invalid value: must be greater than or equal to 0"],
    ],
    [
      `{strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}, selector: {matchLabels: {app: web}}, ${template}}`,
      [
        "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: may not be 0 when `maxSurge` is 0",
      ],
    ],
    [
      `{strategy: {type: Recreate, rollingUpdate: {}}, selector: {matchLabels: {app: web}}, ${template}}`,
      [
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
      ],
    ],
    [
      `{progressDeadlineSeconds: 5, minReadySeconds: 5, selector: {matchLabels: {app: web}}, ${template}}`,
      ["spec.progressDeadlineSeconds: Invalid value: must be greater than minReadySeconds"],
    ],
    [
      `{selector: {matchLabels: {app: web}}, ${template.replace("containers:", "restartPolicy: Never, containers:")}}`,
      ['spec.template.spec.restartPolicy: Unsupported value: supported values: "Always"'],
    ],
  ])("%s", (spec, expected) => {
    expect(problemsOf(deploymentResource, deployment(spec))).toEqual(expected);
  });
});

test("which pods it counts is said once", () => {
  const other = deployment(
    `{selector: {matchLabels: {app: web, tier: a}}, ${template.replace("app: web", "app: web, tier: a")}}`,
  );
  expect(deploymentResource.validateUpdate?.(other, deployment(plain))).toMatchObject([
    { path: "spec.selector", detail: "field is immutable" },
  ]);
});

test("a new annotation is a new generation, a new label is not", () => {
  const before = deployment(plain);
  expect(deploymentResource.generationChanged?.(deployment(plain, "{a: b}"), before)).toBe(true);
  const labelled = { ...before, metadata: { ...before.metadata, labels: { a: "b" } } };
  expect(deploymentResource.generationChanged?.(labelled, before)).toBe(false);
});

test("kubectl get deployments -o wide", () => {
  const object: Deployment = {
    ...deployment(plain),
    status: { readyReplicas: 1, updatedReplicas: 1, availableReplicas: 1 },
  };
  const cells = deploymentResource.columns.map((column) => column.cell(object, 0));
  expect(cells).toEqual(["web", "1/1", 1, 1, "<unknown>", "web", "nginx", "app=web"]);
});
