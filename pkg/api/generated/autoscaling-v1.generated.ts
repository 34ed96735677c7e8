// Written by build/generate-types.ts: do not edit.
import type { LabelSelector } from "./meta-v1.generated.ts";
import type { ObjectMeta } from "../object.ts";
import type { Schema } from "../schema.ts";
import { kubernetesSchema } from "../kubernetes-schema.ts";

export interface ContainerResourceMetricSource {
  readonly container: string;
  readonly name: string;
  readonly targetAverageUtilization?: number;
  readonly targetAverageValue?: string;
}

export interface ContainerResourceMetricStatus {
  readonly container: string;
  readonly currentAverageUtilization?: number;
  readonly currentAverageValue: string;
  readonly name: string;
}

export interface CrossVersionObjectReference {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly name: string;
}

export interface ExternalMetricSource {
  readonly metricName: string;
  readonly metricSelector?: LabelSelector;
  readonly targetAverageValue?: string;
  readonly targetValue?: string;
}

export interface ExternalMetricStatus {
  readonly currentAverageValue?: string;
  readonly currentValue: string;
  readonly metricName: string;
  readonly metricSelector?: LabelSelector;
}

export interface HorizontalPodAutoscaler {
  readonly apiVersion: "autoscaling/v1";
  readonly kind: "HorizontalPodAutoscaler";
  readonly metadata: ObjectMeta;
  readonly spec: HorizontalPodAutoscalerSpec;
  readonly status: HorizontalPodAutoscalerStatus;
}

export const horizontalPodAutoscalerSchema: Schema<HorizontalPodAutoscaler> = kubernetesSchema("io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler");

export interface HorizontalPodAutoscalerCondition {
  readonly lastTransitionTime?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly status: string;
  readonly type: string;
}

export interface HorizontalPodAutoscalerSpec {
  readonly maxReplicas: number;
  readonly minReplicas?: number;
  readonly scaleTargetRef: CrossVersionObjectReference;
  readonly targetCPUUtilizationPercentage?: number;
}

export interface HorizontalPodAutoscalerStatus {
  readonly currentCPUUtilizationPercentage?: number;
  readonly currentReplicas: number;
  readonly desiredReplicas: number;
  readonly lastScaleTime?: string;
  readonly observedGeneration?: number;
}

export interface MetricSpec {
  readonly containerResource?: ContainerResourceMetricSource;
  readonly external?: ExternalMetricSource;
  readonly object?: ObjectMetricSource;
  readonly pods?: PodsMetricSource;
  readonly resource?: ResourceMetricSource;
  readonly type: "ContainerResource" | "External" | "Object" | "Pods" | "Resource";
}

export interface MetricStatus {
  readonly containerResource?: ContainerResourceMetricStatus;
  readonly external?: ExternalMetricStatus;
  readonly object?: ObjectMetricStatus;
  readonly pods?: PodsMetricStatus;
  readonly resource?: ResourceMetricStatus;
  readonly type: "ContainerResource" | "External" | "Object" | "Pods" | "Resource";
}

export interface ObjectMetricSource {
  readonly averageValue?: string;
  readonly metricName: string;
  readonly selector?: LabelSelector;
  readonly target: CrossVersionObjectReference;
  readonly targetValue: string;
}

export interface ObjectMetricStatus {
  readonly averageValue?: string;
  readonly currentValue: string;
  readonly metricName: string;
  readonly selector?: LabelSelector;
  readonly target: CrossVersionObjectReference;
}

export interface PodsMetricSource {
  readonly metricName: string;
  readonly selector?: LabelSelector;
  readonly targetAverageValue: string;
}

export interface PodsMetricStatus {
  readonly currentAverageValue: string;
  readonly metricName: string;
  readonly selector?: LabelSelector;
}

export interface ResourceMetricSource {
  readonly name: string;
  readonly targetAverageUtilization?: number;
  readonly targetAverageValue?: string;
}

export interface ResourceMetricStatus {
  readonly currentAverageUtilization?: number;
  readonly currentAverageValue: string;
  readonly name: string;
}

export interface Scale {
  readonly apiVersion: "autoscaling/v1";
  readonly kind: "Scale";
  readonly metadata: ObjectMeta;
  readonly spec: ScaleSpec;
  readonly status: ScaleStatus;
}

export const scaleSchema: Schema<Scale> = kubernetesSchema("io.k8s.api.autoscaling.v1.Scale");

export interface ScaleSpec {
  readonly replicas: number;
}

export interface ScaleStatus {
  readonly replicas: number;
  readonly selector?: string;
}
