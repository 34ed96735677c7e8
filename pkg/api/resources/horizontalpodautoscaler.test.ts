import { describe, expect, test } from "vitest";
import { createdFromYaml } from "../../../test/support/decode-yaml.ts";
import type { HorizontalPodAutoscaler as OlderAutoscaler } from "../generated/autoscaling-v1.generated.ts";
import type { HorizontalPodAutoscaler } from "../generated/autoscaling-v2.generated.ts";
import { horizontalPodAutoscalerResource } from "./horizontalpodautoscaler.ts";
import { horizontalPodAutoscalerV1Resource } from "./horizontalpodautoscaler-v1.ts";

const target = "scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}";

const autoscaler = (spec: string, rest = ""): HorizontalPodAutoscaler =>
  createdFromYaml(
    horizontalPodAutoscalerResource,
    `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}, spec: {${spec}}${rest}}`,
  );

const older = (spec: string, annotations = ""): OlderAutoscaler =>
  createdFromYaml(
    horizontalPodAutoscalerV1Resource,
    `{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {name: web${annotations}}, spec: {${spec}}}`,
  );

function problems(spec: string, previous?: string): readonly string[] {
  const { validateCreate, validateUpdate } = horizontalPodAutoscalerResource;
  const errors =
    previous === undefined
      ? validateCreate?.(autoscaler(spec))
      : validateUpdate?.(autoscaler(spec), autoscaler(previous));
  return (errors ?? []).map(
    ({ path, type, detail }) => `${path}: ${type}${detail === "" ? "" : `: ${detail}`}`,
  );
}

const cpu = [
  {
    type: "Resource",
    resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
  },
];

test("what a client leaves out is filled in", () => {
  const { spec, status } = autoscaler(`maxReplicas: 3, ${target}`);
  expect(spec).toMatchObject({ minReplicas: 1, metrics: cpu });
  expect(spec.behavior).toBe(undefined);
  expect(status).toEqual({ desiredReplicas: 0 });
  const everything = { type: "Percent", value: 100, periodSeconds: 15 };
  const { behavior } = autoscaler(
    `maxReplicas: 3, behavior: {scaleDown: {selectPolicy: Min}}, ${target}`,
  ).spec;
  expect(behavior).toEqual({
    scaleUp: {
      policies: [{ type: "Pods", value: 4, periodSeconds: 15 }, everything],
      selectPolicy: "Max",
      stabilizationWindowSeconds: 0,
    },
    scaleDown: { policies: [everything], selectPolicy: "Min" },
  });
});

describe("what is wrong is said in upstream's words", () => {
  test.each<[string, string[]]>([
    [`maxReplicas: 3, ${target}`, []],
    [
      target,
      [
        "spec.maxReplicas: Required value: must be set and greater than 0",
        "spec.maxReplicas: Invalid value: must be greater than or equal to `minReplicas`",
      ],
    ],
    [
      `minReplicas: 0, maxReplicas: 1, ${target}`,
      [
        "spec.minReplicas: Invalid value: must be greater than or equal to 1",
        "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas",
      ],
    ],
    [
      `minReplicas: 3, maxReplicas: 2, ${target}`,
      ["spec.maxReplicas: Invalid value: must be greater than or equal to `minReplicas`"],
    ],
    [
      "maxReplicas: 1, scaleTargetRef: {kind: Deployment, name: a/b}",
      [
        "spec.scaleTargetRef.name: Invalid value: may not contain '/'",
        "spec.scaleTargetRef.apiVersion: Invalid value: apiVersion must specify API group",
      ],
    ],
    ["maxReplicas: 1, scaleTargetRef: {apiVersion: v1, kind: ReplicationController, name: a}", []],
    [
      "maxReplicas: 1, scaleTargetRef: {apiVersion: a/b/c, kind: Deployment, name: a}",
      ["spec.scaleTargetRef.apiVersion: Invalid value: unexpected GroupVersion string: a/b/c"],
    ],
    [
      `maxReplicas: 1, metrics: [{type: Pods}], ${target}`,
      [
        "spec.metrics[0].pods: Required value: must populate information for the given metric source",
      ],
    ],
    [
      `maxReplicas: 1, metrics: [{type: Other, resource: {name: cpu, target: {type: Utilization, averageUtilization: 1}}}], ${target}`,
      [
        'spec.metrics[0].type: Unsupported value: supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
        'spec.metrics[0].type: Unsupported value: supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
      ],
    ],
    [
      `maxReplicas: 1, metrics: [{type: Resource, resource: {name: cpu, target: {type: Share, averageUtilization: 0, averageValue: -1}}}], ${target}`,
      [
        "spec.metrics[0].resource.target.type: Invalid value: must be either Utilization, Value, or AverageValue",
        "spec.metrics[0].resource.target.averageValue: Invalid value: must be positive",
        "spec.metrics[0].resource.target.averageUtilization: Invalid value: must be greater than 0",
        "spec.metrics[0].resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization",
      ],
    ],
    [
      `maxReplicas: 1, metrics: [{type: Resource, resource: {name: cpu, target: {type: Value}}, pods: {metric: {name: a}, target: {type: AverageValue, averageValue: 1}}}], ${target}`,
      ["spec.metrics[0].pods: Forbidden: must populate the given metric source only"],
    ],
    [
      `maxReplicas: 1, metrics: [{type: External, external: {metric: {name: ''}, target: {type: Value}}}], ${target}`,
      [
        "spec.metrics[0].external.metric.name: Required value: must specify a metric name",
        "spec.metrics[0].external.target.averageValue: Required value: must set either a target value for metric or a per-pod target",
      ],
    ],
    [
      `maxReplicas: 1, behavior: {scaleUp: {stabilizationWindowSeconds: 4000, selectPolicy: Any, policies: [{type: Some, value: 0, periodSeconds: 2000}], tolerance: -1}}, ${target}`,
      [
        "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: must be less than or equal to 3600",
        'spec.behavior.scaleUp.selectPolicy: Unsupported value: supported values: "Disabled", "Max", "Min"',
        'spec.behavior.scaleUp.policies[0].type: Unsupported value: supported values: "Percent", "Pods"',
        "spec.behavior.scaleUp.policies[0].value: Invalid value: must be greater than zero",
        "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: must be less than or equal to 1800",
        "spec.behavior.scaleUp.tolerance: Invalid value: must be greater than or equal to 0",
      ],
    ],
  ])("{%s}", (spec, expected) => {
    expect(problems(spec)).toEqual(expected);
  });

  test("but not of a target that stays as it was", () => {
    const odd = "maxReplicas: 1, scaleTargetRef: {kind: Deployment, name: web}";
    expect(problems(odd.replace("maxReplicas: 1", "maxReplicas: 2"), odd)).toEqual([]);
    expect(problems(odd, `maxReplicas: 1, ${target}`)).toHaveLength(1);
  });
});

test("kubectl get horizontalpodautoscalers", () => {
  const pods =
    "{type: Pods, pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: 1k}}}";
  const external =
    "{type: External, external: {metric: {name: q}, target: {type: AverageValue, averageValue: 5}}}";
  const object = {
    ...autoscaler(
      `maxReplicas: 3, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}, ${pods}, ${external}], ${target}`,
    ),
    status: {
      currentReplicas: 2,
      desiredReplicas: 2,
      currentMetrics: [
        { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 40 } } },
      ],
    },
  };
  const row = horizontalPodAutoscalerResource.columns.map((column) => column.cell(object, 0));
  expect(row).toEqual([
    "web",
    "Deployment/web",
    "cpu: 40%/80%, <unknown>/1k + 1 more...",
    "1",
    3,
    2,
    "<unknown>",
  ]);
});

describe("version 1", () => {
  const { toStored, fromStored } = horizontalPodAutoscalerV1Resource;
  const shownAsV1 = (object: HorizontalPodAutoscaler) => fromStored?.(object) as OlderAutoscaler;
  const storedAs = (object: OlderAutoscaler) => toStored?.(object) as HorizontalPodAutoscaler;

  test("says by one field what share of the CPU is meant", () => {
    const made = older(`maxReplicas: 3, targetCPUUtilizationPercentage: 50, ${target}`);
    expect(storedAs(made)).toMatchObject({
      apiVersion: "autoscaling/v2",
      spec: {
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [{ type: "Resource", resource: { target: { averageUtilization: 50 } } }],
      },
    });
    expect(storedAs(older(`maxReplicas: 3, ${target}`)).spec.metrics).toEqual(cpu);
    expect(shownAsV1(storedAs(made))).toEqual(made);
    expect(made.status).toEqual({ currentReplicas: 0, desiredReplicas: 0 });
  });

  test("keeps in annotations what it has no fields for", () => {
    const object: HorizontalPodAutoscaler = {
      ...autoscaler(
        `maxReplicas: 3, behavior: {scaleUp: {}}, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}, {type: Object, object: {describedObject: {apiVersion: v1, kind: Service, name: web}, metric: {name: rps}, target: {type: Value, value: 10}}}], ${target}`,
      ),
      status: {
        desiredReplicas: 1,
        currentReplicas: 1,
        conditions: [{ type: "ScalingActive", status: "True", reason: "ValidMetricFound" }],
        currentMetrics: [
          {
            type: "Resource",
            resource: { name: "cpu", current: { averageUtilization: 40, averageValue: "100m" } },
          },
        ],
      },
    };
    const shown = shownAsV1(object);
    expect(shown.spec).toEqual({
      maxReplicas: 3,
      minReplicas: 1,
      scaleTargetRef: object.spec.scaleTargetRef,
      targetCPUUtilizationPercentage: 80,
    });
    expect(shown.status).toEqual({
      currentCPUUtilizationPercentage: 40,
      currentReplicas: 1,
      desiredReplicas: 1,
    });
    expect(shown.metadata.annotations).toEqual({
      "autoscaling.alpha.kubernetes.io/behavior":
        '{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15},{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":null},"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Max","Policies":[{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":null}}',
      "autoscaling.alpha.kubernetes.io/conditions":
        '[{"type":"ScalingActive","status":"True","reason":"ValidMetricFound"}]',
      "autoscaling.alpha.kubernetes.io/current-metrics":
        '[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":40,"currentAverageValue":"100m"}}]',
      "autoscaling.alpha.kubernetes.io/metrics":
        '[{"type":"Object","object":{"target":{"kind":"Service","name":"web","apiVersion":"v1"},"metricName":"rps","targetValue":"10"}}]',
    });
    const back = storedAs(shown);
    expect(back.metadata).toEqual(object.metadata);
    expect(back.status).toEqual(object.status);
    expect(back.spec.behavior).toEqual(object.spec.behavior);
    // The share of the CPU comes last, as upstream has it.
    expect(back.spec.metrics).toEqual([...(object.spec.metrics ?? [])].reverse());
  });

  test("passes over an annotation that cannot be read", () => {
    const annotations =
      ", annotations: {autoscaling.alpha.kubernetes.io/metrics: 'no', autoscaling.alpha.kubernetes.io/behavior: '{}'}";
    const stored = storedAs(older(`maxReplicas: 3, ${target}`, annotations));
    expect(stored.spec.metrics).toEqual(cpu);
    expect(stored.spec.behavior).toBe(undefined);
    expect(stored.metadata.annotations).toBe(undefined);
  });

  test("is held to the same rules", () => {
    const errors = horizontalPodAutoscalerV1Resource.validateCreate?.(
      older(`maxReplicas: -1, ${target}`),
    );
    expect(errors?.map(({ path }) => path)).toEqual(["spec.maxReplicas", "spec.maxReplicas"]);
  });
});
