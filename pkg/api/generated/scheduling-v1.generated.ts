// Written by build/generate-types.ts: do not edit.
import type { ObjectMeta } from "../object.ts";
import type { Schema } from "../schema.ts";
import { kubernetesSchema } from "../kubernetes-schema.ts";

export interface PriorityClass {
  readonly apiVersion: "scheduling.k8s.io/v1";
  readonly description?: string;
  readonly globalDefault?: boolean;
  readonly kind: "PriorityClass";
  readonly metadata: ObjectMeta;
  readonly preemptionPolicy?: "Never" | "PreemptLowerPriority";
  readonly value: number;
}

export const priorityClassSchema: Schema<PriorityClass> = kubernetesSchema("io.k8s.api.scheduling.v1.PriorityClass");
