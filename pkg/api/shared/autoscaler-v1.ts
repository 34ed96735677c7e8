import { decodeObject } from "../codec/decode.ts";
import type * as v1 from "../generated/autoscaling-v1.generated.ts";
import type * as v2 from "../generated/autoscaling-v2.generated.ts";
import { kubernetesSchema } from "../kubernetes-schema.ts";
import { isJsonObject } from "../patch/json-value.ts";
import { defaultAutoscalerMetrics } from "./autoscaler-metrics.ts";

/** What version 1 has no fields for lies in annotations of its objects, as upstream writes them. */
const metricsAnnotation = "autoscaling.alpha.kubernetes.io/metrics";
const currentMetricsAnnotation = "autoscaling.alpha.kubernetes.io/current-metrics";
const conditionsAnnotation = "autoscaling.alpha.kubernetes.io/conditions";
const behaviorAnnotation = "autoscaling.alpha.kubernetes.io/behavior";

const metricSchema = kubernetesSchema<v1.MetricSpec>("io.k8s.api.autoscaling.v1.MetricSpec");
const metricStatusSchema = kubernetesSchema<v1.MetricStatus>(
  "io.k8s.api.autoscaling.v1.MetricStatus",
);
const conditionSchema = kubernetesSchema<v2.HorizontalPodAutoscalerCondition>(
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerCondition",
);
const behaviorSchema = kubernetesSchema<v2.HorizontalPodAutoscalerBehavior>(
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior",
);

type Known<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** The fields that have a value, in their order. */
function known<T extends object>(fields: T): Known<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Known<T>;
}

// ---- version 1 to version 2 ----------------------------------------------------------

export function autoscalerFromV1(
  object: v1.HorizontalPodAutoscaler,
): Omit<v2.HorizontalPodAutoscaler, "apiVersion"> {
  const { metadata, spec, status } = object;
  const { annotations, ...otherMeta } = metadata;
  const kept = withoutOwnAnnotations(annotations);
  const metrics = [
    ...(readList(annotations?.[metricsAnnotation], metricSchema) ?? []).map(metricFromV1),
    ...cpuMetrics(spec.targetCPUUtilizationPercentage),
  ];
  const next = {
    ...known({
      behavior: readBehavior(annotations?.[behaviorAnnotation]),
      minReplicas: spec.minReplicas,
    }),
    maxReplicas: spec.maxReplicas,
    metrics,
    scaleTargetRef: spec.scaleTargetRef,
  };
  defaultAutoscalerMetrics(next as never);
  return {
    kind: "HorizontalPodAutoscaler",
    metadata: kept === undefined ? otherMeta : { ...otherMeta, annotations: kept },
    spec: next,
    status: statusFromV1(status, annotations),
  };
}

type Annotations = Readonly<Record<string, string>> | undefined;

function withoutOwnAnnotations(annotations: Annotations): Annotations {
  if (annotations === undefined) return undefined;
  const {
    [metricsAnnotation]: _,
    [currentMetricsAnnotation]: __,
    [conditionsAnnotation]: ___,
    [behaviorAnnotation]: ____,
    ...kept
  } = annotations;
  return Object.keys(kept).length === 0 && Object.keys(annotations).length > 0 ? undefined : kept;
}

function cpuMetrics(percent: number | undefined): readonly v2.MetricSpec[] {
  if (percent === undefined) return [];
  const target = { type: "Utilization", averageUtilization: percent };
  return [{ type: "Resource", resource: { name: "cpu", target } }];
}

function statusFromV1(
  status: v1.HorizontalPodAutoscalerStatus,
  annotations: Annotations,
): v2.HorizontalPodAutoscalerStatus {
  const percent = status.currentCPUUtilizationPercentage;
  const cpu: readonly v2.MetricStatus[] | undefined =
    percent === undefined
      ? undefined
      : [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: percent } } }];
  const currentMetrics = readList(annotations?.[currentMetricsAnnotation], metricStatusSchema);
  return known({
    conditions: readList(annotations?.[conditionsAnnotation], conditionSchema),
    currentMetrics: currentMetrics?.map(metricStatusFromV1) ?? cpu,
    currentReplicas: status.currentReplicas === 0 ? undefined : status.currentReplicas,
    desiredReplicas: status.desiredReplicas,
    lastScaleTime: status.lastScaleTime,
    observedGeneration: status.observedGeneration,
  });
}

/** What an annotation holds; undefined where it is not there or cannot be read, which upstream passes over, too. */
function readList<T>(
  text: string | undefined,
  schema: ReturnType<typeof kubernetesSchema<T>>,
): readonly T[] | undefined {
  const list = readJson(text);
  if (!Array.isArray(list)) return undefined;
  try {
    return list.map((item) => decodeObject(schema, item).object as T);
  } catch {
    return undefined;
  }
}

function readJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The annotation has the names of Go's fields: `ScaleUp`, `PeriodSeconds`. */
function readBehavior(text: string | undefined): v2.HorizontalPodAutoscalerBehavior | undefined {
  const value = decapitalized(readJson(text));
  if (!isJsonObject(value) || Object.keys(value).length === 0) return undefined;
  try {
    return decodeObject(behaviorSchema, value).object as v2.HorizontalPodAutoscalerBehavior;
  } catch {
    return undefined;
  }
}

function decapitalized(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decapitalized);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([name, field]) => [name.charAt(0).toLowerCase() + name.slice(1), decapitalized(field)]),
  );
}

function metricFromV1(metric: v1.MetricSpec): v2.MetricSpec {
  const { type, object, pods, resource, containerResource, external } = metric;
  return known({
    type,
    object: object && {
      describedObject: object.target,
      metric: identifier(object.metricName, object.selector),
      target: objectTarget(object),
    },
    pods: pods && {
      metric: identifier(pods.metricName, pods.selector),
      target: { type: "AverageValue", averageValue: pods.targetAverageValue },
    },
    resource: resource && { name: resource.name, target: shareTarget(resource) },
    containerResource: containerResource && {
      container: containerResource.container,
      name: containerResource.name,
      target: shareTarget(containerResource),
    },
    external: external && {
      metric: identifier(external.metricName, external.metricSelector),
      target: known({
        type: external.targetValue === undefined ? "AverageValue" : "Value",
        value: external.targetValue,
        averageValue: external.targetAverageValue,
      }),
    },
  });
}

function objectTarget({ averageValue, targetValue }: v1.ObjectMetricSource): v2.MetricTarget {
  if (averageValue === undefined) return { type: "Value", value: targetValue };
  // Version 1 always has a value; "0" stands for none.
  const value = targetValue === "0" ? undefined : targetValue;
  return known({ type: "AverageValue", value, averageValue });
}

function shareTarget(source: v1.ResourceMetricSource): v2.MetricTarget {
  return known({
    type: source.targetAverageUtilization === undefined ? "AverageValue" : "Utilization",
    averageValue: source.targetAverageValue,
    averageUtilization: source.targetAverageUtilization,
  });
}

function identifier(name: string, selector: v2.MetricIdentifier["selector"]): v2.MetricIdentifier {
  return known({ name, selector });
}

function metricStatusFromV1(status: v1.MetricStatus): v2.MetricStatus {
  const { type, object, pods, resource, containerResource, external } = status;
  return known({
    type,
    object: object && {
      current: known({ value: object.currentValue, averageValue: object.averageValue }),
      describedObject: object.target,
      metric: identifier(object.metricName, object.selector),
    },
    pods: pods && {
      current: { averageValue: pods.currentAverageValue },
      metric: identifier(pods.metricName, pods.selector),
    },
    resource: resource && { name: resource.name, current: shareCurrent(resource) },
    containerResource: containerResource && {
      container: containerResource.container,
      name: containerResource.name,
      current: shareCurrent(containerResource),
    },
    external: external && {
      current: known({ value: external.currentValue, averageValue: external.currentAverageValue }),
      metric: identifier(external.metricName, external.metricSelector),
    },
  });
}

function shareCurrent(status: v1.ResourceMetricStatus): v2.MetricValueStatus {
  return known({
    averageValue: status.currentAverageValue,
    averageUtilization: status.currentAverageUtilization,
  });
}

// ---- version 2 to version 1 ----------------------------------------------------------

export function autoscalerToV1(
  object: v2.HorizontalPodAutoscaler,
): Omit<v1.HorizontalPodAutoscaler, "apiVersion"> {
  const { metadata, spec, status } = object;
  const annotations = { ...metadata.annotations, ...ownAnnotations(object) };
  const cpu = (spec.metrics ?? []).find(isCpuShare);
  const currentCpu = (status.currentMetrics ?? []).findLast(
    ({ type, resource }) =>
      type === "Resource" &&
      resource?.name === "cpu" &&
      resource.current.averageUtilization !== undefined,
  );
  return {
    kind: "HorizontalPodAutoscaler",
    metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations },
    spec: {
      maxReplicas: spec.maxReplicas,
      ...known({ minReplicas: spec.minReplicas }),
      scaleTargetRef: spec.scaleTargetRef,
      ...known({ targetCPUUtilizationPercentage: cpu?.resource?.target.averageUtilization }),
    },
    status: {
      ...known({
        currentCPUUtilizationPercentage: currentCpu?.resource?.current.averageUtilization,
      }),
      currentReplicas: status.currentReplicas ?? 0,
      desiredReplicas: status.desiredReplicas,
      ...known({
        lastScaleTime: status.lastScaleTime,
        observedGeneration: status.observedGeneration,
      }),
    },
  };
}

function isCpuShare({ type, resource }: v2.MetricSpec): boolean {
  return (
    type === "Resource" &&
    resource?.name === "cpu" &&
    resource.target.averageUtilization !== undefined
  );
}

function ownAnnotations({ spec, status }: v2.HorizontalPodAutoscaler): Record<string, string> {
  const own: Record<string, string> = {};
  const others = (spec.metrics ?? []).filter((metric) => !isCpuShare(metric));
  if (others.length > 0) own[metricsAnnotation] = JSON.stringify(others.map(metricToV1));
  const current = status.currentMetrics ?? [];
  if (current.length > 0) {
    own[currentMetricsAnnotation] = JSON.stringify(current.map(metricStatusToV1));
  }
  if (spec.behavior !== undefined) {
    const { scaleUp, scaleDown } = spec.behavior;
    const both = { ScaleUp: rulesInGo(scaleUp), ScaleDown: rulesInGo(scaleDown) };
    own[behaviorAnnotation] = JSON.stringify(both);
  }
  const conditions = status.conditions ?? [];
  if (conditions.length > 0) {
    own[conditionsAnnotation] = JSON.stringify(
      conditions.map((condition) =>
        known({
          type: condition.type,
          status: condition.status,
          lastTransitionTime: condition.lastTransitionTime,
          reason: condition.reason,
          message: condition.message,
        }),
      ),
    );
  }
  return own;
}

function rulesInGo(rules: v2.HPAScalingRules | undefined): unknown {
  if (rules === undefined) return null;
  return {
    StabilizationWindowSeconds: rules.stabilizationWindowSeconds ?? null,
    SelectPolicy: rules.selectPolicy ?? null,
    Policies:
      rules.policies?.map(({ type, value, periodSeconds }) => ({
        Type: type,
        Value: value,
        PeriodSeconds: periodSeconds,
      })) ?? null,
    Tolerance: rules.tolerance ?? null,
  };
}

function referenceToV1({ kind, name, apiVersion }: v2.CrossVersionObjectReference) {
  return known({ kind, name, apiVersion });
}

function metricToV1(metric: v2.MetricSpec): unknown {
  const { type, object, pods, resource, containerResource, external } = metric;
  return known({
    type,
    object:
      object &&
      known({
        target: referenceToV1(object.describedObject),
        metricName: object.metric.name,
        targetValue: object.target.value ?? "0",
        selector: object.metric.selector,
        averageValue: object.target.averageValue,
      }),
    pods:
      pods &&
      known({
        metricName: pods.metric.name,
        targetAverageValue: pods.target.averageValue ?? "0",
        selector: pods.metric.selector,
      }),
    resource: resource && known({ name: resource.name, ...shareToV1(resource.target) }),
    containerResource:
      containerResource &&
      known({
        name: containerResource.name,
        ...shareToV1(containerResource.target),
        container: containerResource.container,
      }),
    external:
      external &&
      known({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        targetValue: external.target.value,
        targetAverageValue: external.target.averageValue,
      }),
  });
}

function shareToV1({ averageUtilization, averageValue }: v2.MetricTarget) {
  return { targetAverageUtilization: averageUtilization, targetAverageValue: averageValue };
}

function metricStatusToV1(status: v2.MetricStatus): unknown {
  const { type, object, pods, resource, containerResource, external } = status;
  return known({
    type,
    object:
      object &&
      known({
        target: referenceToV1(object.describedObject),
        metricName: object.metric.name,
        currentValue: object.current.value ?? "0",
        selector: object.metric.selector,
        averageValue: object.current.averageValue,
      }),
    pods:
      pods &&
      known({
        metricName: pods.metric.name,
        currentAverageValue: pods.current.averageValue ?? "0",
        selector: pods.metric.selector,
      }),
    resource: resource && known({ name: resource.name, ...currentToV1(resource.current) }),
    containerResource:
      containerResource &&
      known({
        name: containerResource.name,
        ...currentToV1(containerResource.current),
        container: containerResource.container,
      }),
    external:
      external &&
      known({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        currentValue: external.current.value ?? "0",
        currentAverageValue: external.current.averageValue,
      }),
  });
}

function currentToV1({ averageUtilization, averageValue }: v2.MetricValueStatus) {
  return {
    currentAverageUtilization: averageUtilization,
    currentAverageValue: averageValue ?? "0",
  };
}
