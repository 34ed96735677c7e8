import { describe, expect, test } from "vitest";
import {
  createdFromYaml,
  refusalsOf,
  updateRefusalsOf,
} from "../../../test/support/decode-yaml.ts";
import { limitRangeResource } from "./limitrange.ts";
import { resourceQuotaResource } from "./resourcequota.ts";

const nowMs = Date.parse("2026-01-01T00:10:00Z");

const limitRangeYaml = (limits: string) =>
  `{apiVersion: v1, kind: LimitRange, metadata: {name: a, namespace: team}, spec: {limits: ${limits}}}`;
const limitRange = (limits: string) => createdFromYaml(limitRangeResource, limitRangeYaml(limits));

describe("a LimitRange", () => {
  test.each<[string, object]>([
    [
      "{type: Container, max: {cpu: 2000m}}",
      { default: { cpu: "2" }, defaultRequest: { cpu: "2" }, max: { cpu: "2" } },
    ],
    [
      "{type: Container, max: {cpu: 4, memory: 1Gi}, min: {memory: 1Mi}, default: {cpu: 2}}",
      { default: { cpu: "2", memory: "1Gi" }, defaultRequest: { cpu: "2", memory: "1Gi" } },
    ],
    [
      "{type: Container, min: {memory: 1Mi}, defaultRequest: {cpu: 1}}",
      { defaultRequest: { cpu: "1", memory: "1Mi" } },
    ],
    ["{type: Pod, max: {cpu: 1}}", { type: "Pod", max: { cpu: "1" } }],
  ])("gives containers what they do not ask for: %s", (item, expected) => {
    expect(limitRange(`[${item}]`).spec.limits[0]).toMatchObject(expected);
  });

  test("that says nothing of containers says nothing", () => {
    expect(limitRange("[{type: Container}]").spec.limits).toEqual([{ type: "Container" }]);
    const empty = "{apiVersion: v1, kind: LimitRange, metadata: {namespace: team}}";
    expect(refusalsOf(limitRangeResource, createdFromYaml(limitRangeResource, empty))).toEqual([]);
  });

  test("can do without a name", () => {
    const unnamed = "{apiVersion: v1, kind: LimitRange, metadata: {namespace: team}}";
    expect(createdFromYaml(limitRangeResource, unnamed).metadata.name).toMatch(/^[0-9a-f-]{36}$/);
    const prefixed = "{apiVersion: v1, kind: LimitRange, metadata: {generateName: a-}}";
    expect(createdFromYaml(limitRangeResource, prefixed).metadata.name ?? "").toBe("");
  });

  test.each<[string, string[]]>([
    ["[{type: Container, max: {cpu: 1, hugepages-2Mi: 4Mi}}]", []],
    ["[{type: example.com/disk, max: {example.com/size: 1}}]", []],
    [
      "[{type: Disk, max: {cpu: 1}}]",
      [
        'spec.limits[0].type: Invalid value: "Disk": must be a standard limit type or fully qualified',
      ],
    ],
    [
      "[{type: Pod, max: {cpu: 1}}, {type: Pod, max: {memory: 1Gi}}]",
      ['spec.limits[1].type: Duplicate value: "Pod"'],
    ],
    [
      "[{type: Container, max: {storage: 1Gi}}]",
      [
        ...["max", "default", "defaultRequest"].map(
          (field) =>
            `spec.limits[0].${field}[storage]: Invalid value: "storage": must be a standard resource for containers`,
        ),
      ],
    ],
    [
      "[{type: Pod, min: {gpu: 1}}]",
      [
        'spec.limits[0].min[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
        'spec.limits[0].min[gpu]: Invalid value: "gpu": must be a standard resource for containers',
      ],
    ],
    [
      "[{type: Pod, default: {cpu: 1}, defaultRequest: {cpu: 1}}]",
      [
        "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
        "spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod'",
      ],
    ],
    [
      "[{type: PersistentVolumeClaim}]",
      [
        "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided",
      ],
    ],
    ["[{type: PersistentVolumeClaim, max: {storage: 1Gi}}]", []],
    [
      "[{type: Pod, min: {cpu: 2}, max: {cpu: 1}}]",
      ['spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1'],
    ],
    [
      "[{type: Container, min: {cpu: 2}, max: {cpu: 4}, default: {cpu: 1}, defaultRequest: {cpu: 1}}]",
      [
        'spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request value 1',
        'spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1',
      ],
    ],
    [
      "[{type: Container, max: {cpu: 1}, default: {cpu: 2}, defaultRequest: {cpu: 3}}]",
      [
        'spec.limits[0].defaultRequest[cpu]: Invalid value: "3": default request value 3 is greater than max value 1',
        'spec.limits[0].defaultRequest[cpu]: Invalid value: "3": default request value 3 is greater than default limit value 2',
        'spec.limits[0].default[cpu]: Invalid value: "1": default value 2 is greater than max value 1',
      ],
    ],
    [
      "[{type: Pod, maxLimitRequestRatio: {cpu: 500m}}]",
      [
        'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
      ],
    ],
    [
      "[{type: Pod, min: {cpu: 500m}, max: {cpu: 1}, maxLimitRequestRatio: {cpu: 3}}]",
      [
        'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000',
      ],
    ],
    [
      "[{type: Container, default: {example.com/gpu: 2}, defaultRequest: {example.com/gpu: 1}}]",
      [
        'spec.limits[0].defaultRequest[example.com/gpu]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in example.com/gpu',
      ],
    ],
  ])("does not contradict itself: %s", (limits, expected) => {
    expect(refusalsOf(limitRangeResource, limitRange(limits))).toEqual(expected);
  });
});

const quotaYaml = (spec: string, rest = "") =>
  `{apiVersion: v1, kind: ResourceQuota, metadata: {name: a, namespace: team}, spec: ${spec}${rest}}`;
const quota = (spec: string) => createdFromYaml(resourceQuotaResource, quotaYaml(spec));

describe("a ResourceQuota", () => {
  test("counts nothing before it has been counted", () => {
    const made = createdFromYaml(
      resourceQuotaResource,
      quotaYaml("{hard: {cpu: 2000m, pods: 10}}", ", status: {hard: {pods: 3}}"),
    );
    expect(made).toMatchObject({ spec: { hard: { cpu: "2", pods: "10" } }, status: {} });
    expect(made.status).toEqual({});
  });

  test.each<[string, string[]]>([
    ["{hard: {pods: 1, requests.storage: 1Gi, count/deployments.apps: 2}}", []],
    ["{hard: {requests.example.com/gpu: 1, hugepages-2Mi: 2Mi, requests.hugepages-2Mi: 2Mi}}", []],
    ["{hard: {gold.storageclass.storage.k8s.io/requests.storage: 1Gi}}", []],
    [
      "{hard: {storage: 1Gi}}",
      ['spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota'],
    ],
    [
      "{hard: {gpu: 1}}",
      [
        'spec.hard[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
        'spec.hard[gpu]: Invalid value: "gpu": must be a standard resource for quota',
      ],
    ],
    [
      "{hard: {pods: -1, secrets: 500m}}",
      [
        'spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0',
        'spec.hard[secrets]: Invalid value: "500m": must be an integer',
      ],
    ],
    ["{scopes: [Sometimes]}", ['spec.scopes: Invalid value: ["Sometimes"]: unsupported scope']],
    [
      "{hard: {cpu: 1, pods: 1}, scopes: [BestEffort]}",
      ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
    ],
    [
      "{scopes: [Terminating, NotTerminating]}",
      ['spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes'],
    ],
    [
      "{hard: {pods: 1}, scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high]}]}}",
      [],
    ],
    [
      "{hard: {services: 1}, scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high]}]}}",
      [
        'spec.scopeSelector.matchExpressions: Invalid value: {"MatchExpressions":[{"ScopeName":"PriorityClass","Operator":"In","Values":["high"]}]}: unsupported scope applied to resource',
      ],
    ],
    [
      "{scopeSelector: {matchExpressions: [{scopeName: BestEffort, operator: In, values: [a]}, {scopeName: Other, operator: Near}]}}",
      [
        "spec.scopeSelector.matchExpressions.operator: Invalid value: \"In\": must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
        'spec.scopeSelector.matchExpressions.scopeName: Invalid value: "Other": unsupported scope',
        'spec.scopeSelector.matchExpressions.operator: Invalid value: "Near": not a valid selector operator',
      ],
    ],
    [
      "{scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In}, {scopeName: PriorityClass, operator: Exists, values: [a]}]}}",
      [
        "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
        "spec.scopeSelector.matchExpressions.values: Invalid value: [\"a\"]: must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
      ],
    ],
    [
      "{scopeSelector: {matchExpressions: [{scopeName: BestEffort, operator: Exists}, {scopeName: NotBestEffort, operator: Exists}]}}",
      ["spec.scopeSelector.matchExpressions: Invalid value: null: conflicting scopes"],
    ],
  ])("limits what can be counted: %s", (spec, expected) => {
    expect(refusalsOf(resourceQuotaResource, quota(spec))).toEqual(expected);
  });

  test("keeps its scopes", () => {
    const before = quota("{hard: {pods: 1}, scopes: [BestEffort]}");
    const change = (spec: string) =>
      updateRefusalsOf(resourceQuotaResource, before, quotaYaml(spec));
    expect(change("{hard: {pods: 2}, scopes: [BestEffort]}")).toEqual([]);
    expect(change("{hard: {pods: 2}}")).toEqual([
      "spec.scopes: Invalid value: null: field is immutable",
    ]);
  });

  test("is told of an amount that cannot be used", () => {
    const made = quota("{hard: {cpu: 4, limits.cpu: 2, requests.memory: 1Gi, limits.memory: 2Gi}}");
    const expected = ["ResourceQuota cpu (4) should be less than limits.cpu (2)"];
    expect(resourceQuotaResource.warnings?.(made, undefined)).toEqual(expected);
    expect(resourceQuotaResource.warnings?.(made, made)).toEqual([]);
  });

  test("has a status of what can be counted", () => {
    const made = quota("{}");
    const counted = { ...made, status: { hard: { pods: "1" }, used: { gpu: "-1" } } };
    const problems = resourceQuotaResource.validateStatusUpdate?.(counted, made);
    expect(problems?.map(({ path, detail }) => `${path}: ${detail}`)).toEqual([
      "status.used[gpu]: must be a standard resource type or fully qualified",
      "status.used[gpu]: must be a standard resource for quota",
      "status.used[gpu]: must be greater than or equal to 0",
    ]);
  });

  test("is shown with what is used", () => {
    const status = {
      hard: { "limits.cpu": "2", pods: "3", "count/secrets": "9" },
      used: { "limits.cpu": "1", pods: "2" },
    };
    const row = resourceQuotaResource.columns.map(({ cell }) =>
      cell({ ...quota("{}"), status }, nowMs),
    );
    expect(row).toEqual(["a", "count/secrets: 0/9, pods: 2/3", "limits.cpu: 1/2", "<unknown>"]);
  });
});
