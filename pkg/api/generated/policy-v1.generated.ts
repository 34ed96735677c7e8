// Written by build/generate-types.ts: do not edit.
import type { Condition, DeleteOptions, LabelSelector } from "./meta-v1.generated.ts";
import type { ObjectMeta } from "../object.ts";
import type { Schema } from "../schema.ts";
import { kubernetesSchema } from "../kubernetes-schema.ts";

export interface Eviction {
  readonly apiVersion: "policy/v1";
  readonly deleteOptions?: DeleteOptions;
  readonly kind: "Eviction";
  readonly metadata: ObjectMeta;
}

export const evictionSchema: Schema<Eviction> = kubernetesSchema("io.k8s.api.policy.v1.Eviction");

export interface PodDisruptionBudget {
  readonly apiVersion: "policy/v1";
  readonly kind: "PodDisruptionBudget";
  readonly metadata: ObjectMeta;
  readonly spec: PodDisruptionBudgetSpec;
  readonly status: PodDisruptionBudgetStatus;
}

export const podDisruptionBudgetSchema: Schema<PodDisruptionBudget> = kubernetesSchema("io.k8s.api.policy.v1.PodDisruptionBudget");

export interface PodDisruptionBudgetSpec {
  readonly maxUnavailable?: number | string;
  readonly minAvailable?: number | string;
  readonly selector?: LabelSelector;
  readonly unhealthyPodEvictionPolicy?: "AlwaysAllow" | "IfHealthyBudget";
}

export interface PodDisruptionBudgetStatus {
  readonly conditions?: readonly Condition[];
  readonly currentHealthy: number;
  readonly desiredHealthy: number;
  readonly disruptedPods?: Readonly<Record<string, string>>;
  readonly disruptionsAllowed: number;
  readonly expectedPods: number;
  readonly observedGeneration?: number;
}
