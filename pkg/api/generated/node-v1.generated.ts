// Written by build/generate-types.ts: do not edit.
import type { ObjectMeta } from "../object.ts";
import type { Schema } from "../schema.ts";
import type { Toleration } from "./core-v1.generated.ts";
import { kubernetesSchema } from "../kubernetes-schema.ts";

export interface Overhead {
  readonly podFixed?: Readonly<Record<string, string>>;
}

export interface RuntimeClass {
  readonly apiVersion: "node.k8s.io/v1";
  readonly handler: string;
  readonly kind: "RuntimeClass";
  readonly metadata: ObjectMeta;
  readonly overhead?: Overhead;
  readonly scheduling?: Scheduling;
}

export const runtimeClassSchema: Schema<RuntimeClass> = kubernetesSchema("io.k8s.api.node.v1.RuntimeClass");

export interface Scheduling {
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Toleration[];
}
