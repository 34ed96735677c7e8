import { expect, test } from "vitest";
import { createdFromYaml, problemsOf } from "../../../test/support/decode-yaml.ts";
import { podDisruptionBudgetResource } from "./poddisruptionbudget.ts";

const budget = (spec: string) =>
  createdFromYaml(
    podDisruptionBudgetResource,
    `{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web}, spec: {${spec}}}`,
  );

test.each<[string, string[]]>([
  ["minAvailable: 1, selector: {}", []],
  ["maxUnavailable: 50%", []],
  [
    "minAvailable: 1, maxUnavailable: 1",
    ["spec: Invalid value: minAvailable and maxUnavailable cannot be both set"],
  ],
  ["minAvailable: -1", ["spec.minAvailable: Invalid value: must be greater than or equal to 0"]],
  ["maxUnavailable: 101%", ["spec.maxUnavailable: Invalid value: must not be greater than 100%"]],
  [
    "maxUnavailable: half",
    [
      "spec.maxUnavailable: Invalid value: a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ],
  ],
  [
    "selector: {matchExpressions: [{key: a, operator: Is}]}",
    ["spec.selector.matchExpressions[0].operator: Invalid value: not a valid selector operator"],
  ],
  [
    "unhealthyPodEvictionPolicy: Never",
    [
      'spec.unhealthyPodEvictionPolicy: Unsupported value: supported values: "AlwaysAllow", "IfHealthyBudget"',
    ],
  ],
])("{%s}", (spec, expected) => {
  expect(problemsOf(podDisruptionBudgetResource, budget(spec))).toEqual(expected);
});

test("a status counts nothing below none, and its conditions are whole", () => {
  const before = budget("minAvailable: 1");
  const status = {
    ...before.status,
    currentHealthy: -1,
    conditions: [{ type: "Ok", status: "Yes", lastTransitionTime: "", reason: "", message: "" }],
  };
  const errors = podDisruptionBudgetResource.validateStatusUpdate?.({ ...before, status }, before);
  expect(errors?.map(({ path, type }) => `${path}: ${type}`)).toEqual([
    "status.conditions[0].status: Unsupported value",
    "status.conditions[0].lastTransitionTime: Required value",
    "status.conditions[0].reason: Required value",
    "status.currentHealthy: Invalid value",
  ]);
});

test("kubectl get poddisruptionbudgets", () => {
  const cells = (spec: string) =>
    podDisruptionBudgetResource.columns.map((column) => column.cell(budget(spec), 0));
  expect(cells("minAvailable: 1")).toEqual(["web", "1", "N/A", 0, "<unknown>"]);
  expect(cells("maxUnavailable: 25%")).toEqual(["web", "N/A", "25%", 0, "<unknown>"]);
});
