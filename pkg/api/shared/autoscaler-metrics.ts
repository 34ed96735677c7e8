import type {
  HorizontalPodAutoscalerSpec,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from "../generated/autoscaling-v2.generated.ts";
import type { Draft } from "../object.ts";

const cpuPercent = 80;

/** Who names no metric means the CPU. */
export function defaultAutoscalerMetrics(spec: Draft<HorizontalPodAutoscalerSpec>): void {
  if ((spec.metrics ?? []).length > 0) return;
  spec.metrics = [
    {
      type: "Resource",
      resource: { name: "cpu", target: { type: "Utilization", averageUtilization: cpuPercent } },
    },
  ];
}

/** The field of a metric that holds what its type is about. */
export const metricSources = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
} as const;

type MetricType = keyof typeof metricSources;

export function isMetricType(type: string): type is MetricType {
  return Object.hasOwn(metricSources, type);
}

const unknown = "<unknown>";
const shownMax = 2;

/** What `kubectl get` says of the metrics: `cpu: 40%/80%, 3/5 (avg) + 1 more...` */
export function printMetrics(
  specs: readonly MetricSpec[],
  statuses: readonly MetricStatus[],
): string {
  if (specs.length === 0) return "<none>";
  const printed = specs.map((spec, index) => printMetric(spec, statuses[index]));
  const more = printed.length - shownMax;
  const shown = printed.slice(0, shownMax).join(", ");
  return more > 0 ? `${shown} + ${more} more...` : shown;
}

function printMetric(spec: MetricSpec, status: MetricStatus | undefined): string {
  if (!isMetricType(spec.type)) return "<unknown type>";
  const source = metricSources[spec.type];
  const target = spec[source]?.target ?? { type: "" };
  const current = status?.[source]?.current;
  switch (spec.type) {
    case "Resource":
      return `${spec.resource?.name ?? ""}: ${printShare(target, current)}`;
    case "ContainerResource":
      return `${spec.containerResource?.name ?? ""}: ${printShare(target, current)}`;
    case "Pods":
      return `${current?.averageValue ?? unknown}/${target.averageValue ?? ""}`;
    default:
      return target.averageValue === undefined
        ? `${current?.value ?? unknown}/${target.value ?? ""}`
        : `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;
  }
}

function printShare(target: MetricTarget, current: MetricValueStatus | undefined): string {
  if (target.averageValue !== undefined) {
    return `${current?.averageValue ?? unknown}/${target.averageValue}`;
  }
  return `${percent(current?.averageUtilization, unknown)}/${percent(target.averageUtilization, "<auto>")}`;
}

function percent(value: number | undefined, none: string): string {
  return value === undefined ? none : `${value}%`;
}
