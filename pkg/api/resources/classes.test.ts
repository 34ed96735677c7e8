import { describe, expect, test } from "vitest";
import {
  createdFromYaml,
  refusalsOf,
  updateRefusalsOf,
} from "../../../test/support/decode-yaml.ts";
import { priorityClassResource } from "./priorityclass.ts";
import { runtimeClassResource } from "./runtimeclass.ts";

const nowMs = Date.parse("2026-01-01T00:10:00Z");

const priorityYaml = (name: string, rest: string) =>
  `{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: ${name}}, ${rest}}`;
const priorityClass = (name: string, rest: string) =>
  createdFromYaml(priorityClassResource, priorityYaml(name, rest));

describe("a PriorityClass", () => {
  test("displaces others unless it says otherwise", () => {
    expect(priorityClass("a", "value: 1").preemptionPolicy).toBe("PreemptLowerPriority");
    expect(priorityClass("a", "preemptionPolicy: Never")).toMatchObject({ value: 0 });
  });

  test.each<[string, string, string[]]>([
    ["high", "value: 1000000000", []],
    [
      "high",
      "value: 1000000001",
      ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"],
    ],
    ["system-node-critical", "value: 2000001000", []],
    [
      "system-node-critical",
      "value: 1",
      [
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: value of system-node-critical PriorityClass must be 2000001000",
      ],
    ],
    [
      "system-cluster-critical",
      "value: 2000000000, globalDefault: true",
      [
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: globalDefault of system-cluster-critical PriorityClass must be false",
      ],
    ],
    [
      "system-own",
      "value: 1",
      [
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-own is not a known system priority class",
      ],
    ],
    [
      "a",
      "value: 1, preemptionPolicy: Always",
      [
        'preemptionPolicy: Unsupported value: "Always": supported values: "PreemptLowerPriority", "Never"',
      ],
    ],
    ["a", "value: 1, preemptionPolicy: ''", ["preemptionPolicy: Required value"]],
  ])("%s with %s", (name, rest, expected) => {
    expect(refusalsOf(priorityClassResource, priorityClass(name, rest))).toEqual(expected);
  });

  test("keeps its value and its policy", () => {
    const before = priorityClass("a", "value: 1");
    const change = (rest: string) =>
      updateRefusalsOf(priorityClassResource, before, priorityYaml("a", rest));
    expect(change("value: 1, globalDefault: true, description: x")).toEqual([]);
    expect(change("value: 2, preemptionPolicy: Never")).toEqual([
      "value: Forbidden: may not be changed in an update.",
      'preemptionPolicy: Invalid value: "Never": field is immutable',
    ]);
  });

  test("is shown with its value", () => {
    const made = priorityClass("a", "value: 7");
    expect(priorityClassResource.columns.map(({ cell }) => cell(made, nowMs))).toEqual([
      "a",
      7,
      false,
      "<unknown>",
      "PreemptLowerPriority",
    ]);
  });
});

const runtimeYaml = (rest: string) =>
  `{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: a}, ${rest}}`;
const runtimeClass = (rest: string) => createdFromYaml(runtimeClassResource, runtimeYaml(rest));

describe("a RuntimeClass", () => {
  test.each<[string, string[]]>([
    ["handler: gvisor, overhead: {podFixed: {cpu: 250m, memory: 64Mi}}", []],
    ["scheduling: {}", ["handler: Required value"]],
    ["handler: gvisor.io", ['handler: Invalid value: "gvisor.io": must not contain dots']],
    [
      "handler: a, overhead: {podFixed: {gpu: -1}}",
      [
        'overhead.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
        'overhead.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers',
        'overhead.limits[gpu]: Invalid value: "-1": must be greater than or equal to 0',
      ],
    ],
    [
      "handler: a, scheduling: {nodeSelector: {a: b c}}",
      [
        expect.stringMatching(
          /^scheduling\.nodeSelector: Invalid value: "b c": a valid label must be/,
        ) as unknown as string,
      ],
    ],
    [
      "handler: a, scheduling: {tolerations: [{key: a, operator: Exists}, {key: a, operator: Exists}]}",
      [
        'scheduling.tolerations[1]: Duplicate value: {"Key":"a","Operator":"Exists","Value":"","Effect":"","TolerationSeconds":null}',
      ],
    ],
  ])("%s", (rest, expected) => {
    expect(refusalsOf(runtimeClassResource, runtimeClass(rest))).toEqual(expected);
  });

  test("keeps its handler", () => {
    const before = runtimeClass("handler: a");
    expect(updateRefusalsOf(runtimeClassResource, before, runtimeYaml("handler: b"))).toEqual([
      'handler: Invalid value: "b": field is immutable',
    ]);
  });

  test("is told of labels that are no longer to be used", () => {
    const made = runtimeClass(
      "handler: a, scheduling: {nodeSelector: {beta.kubernetes.io/os: linux}}",
    );
    expect(runtimeClassResource.warnings?.(made, undefined)).toEqual([
      'scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/os" instead',
    ]);
  });
});
