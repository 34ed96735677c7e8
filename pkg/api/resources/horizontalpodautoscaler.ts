import { ageColumn, nameColumn } from "../columns.ts";
import {
  type HorizontalPodAutoscaler,
  type HPAScalingPolicy,
  type HPAScalingRules,
  horizontalPodAutoscalerSchema,
} from "../generated/autoscaling-v2.generated.ts";
import type { Draft } from "../object.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { defaultAutoscalerMetrics, printMetrics } from "../shared/autoscaler-metrics.ts";
import { validateAutoscaler } from "../shared/validate-autoscaler.ts";
import { validateEachNonNegative } from "../shared/validate-counts.ts";

export const horizontalPodAutoscalerResource = defineResource<HorizontalPodAutoscaler>({
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  shortNames: ["hpa"],
  categories: ["all"],
  scope: "namespace",
  schema: horizontalPodAutoscalerSchema,
  subresources: { status: true },
  countsGenerations: false,
  defaults,
  prepareCreate(autoscaler) {
    autoscaler.status = { desiredReplicas: 0 };
  },
  validateCreate: ({ spec }) => validateAutoscaler(spec, undefined),
  validateUpdate: (next, previous) => validateAutoscaler(next.spec, previous.spec),
  validateStatusUpdate({ status }) {
    const errors: FieldError[] = [];
    validateEachNonNegative(status, ["currentReplicas", "desiredReplicas"], "status", errors);
    return errors;
  },
  columns: [
    nameColumn,
    {
      name: "Reference",
      type: "string",
      description: "What is scaled.",
      cell: ({ spec: { scaleTargetRef } }) => `${scaleTargetRef.kind}/${scaleTargetRef.name}`,
    },
    {
      name: "Targets",
      type: "string",
      description: "What is measured, beside what it should be.",
      cell: ({ spec, status }) => printMetrics(spec.metrics ?? [], status.currentMetrics ?? []),
    },
    {
      name: "MinPods",
      type: "string",
      description: "How many pods there are at least.",
      cell: ({ spec }) => (spec.minReplicas === undefined ? "<unset>" : String(spec.minReplicas)),
    },
    {
      name: "MaxPods",
      type: "string",
      description: "How many pods there are at most.",
      cell: ({ spec }) => spec.maxReplicas,
    },
    {
      name: "Replicas",
      type: "string",
      description: "How many pods there are.",
      cell: ({ status }) => status.currentReplicas ?? 0,
    },
    ageColumn,
  ],
});

const policyPeriodSeconds = 15;
const everything: HPAScalingPolicy = {
  type: "Percent",
  value: 100,
  periodSeconds: policyPeriodSeconds,
};
const fourPods: HPAScalingPolicy = { type: "Pods", value: 4, periodSeconds: policyPeriodSeconds };

function defaults({ spec }: Draft<HorizontalPodAutoscaler>): void {
  spec.minReplicas ??= 1;
  defaultAutoscalerMetrics(spec);
  const { behavior } = spec;
  if (behavior === undefined) return;
  behavior.scaleUp = withRules(behavior.scaleUp, [fourPods, everything]);
  behavior.scaleUp.stabilizationWindowSeconds ??= 0;
  behavior.scaleDown = withRules(behavior.scaleDown, [everything]);
}

function withRules(
  rules: Draft<HPAScalingRules> | undefined,
  policies: readonly HPAScalingPolicy[],
): Draft<HPAScalingRules> {
  return { policies: policies.map((policy) => ({ ...policy })), selectPolicy: "Max", ...rules };
}
