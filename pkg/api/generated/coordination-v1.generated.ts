// Written by build/generate-types.ts: do not edit.
import type { ObjectMeta } from "../object.ts";
import type { Schema } from "../schema.ts";
import { kubernetesSchema } from "../kubernetes-schema.ts";

export interface Lease {
  readonly apiVersion: "coordination.k8s.io/v1";
  readonly kind: "Lease";
  readonly metadata: ObjectMeta;
  readonly spec: LeaseSpec;
}

export const leaseSchema: Schema<Lease> = kubernetesSchema("io.k8s.api.coordination.v1.Lease");

export interface LeaseSpec {
  readonly acquireTime?: string;
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly leaseTransitions?: number;
  readonly preferredHolder?: string;
  readonly renewTime?: string;
  readonly strategy?: string;
}
