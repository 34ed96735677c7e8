// Written by build/generate-types.ts: do not edit.
import type { GroupVersionKind } from "./meta-v1.generated.ts";
import type { ObjectMeta } from "../object.ts";
import type { Schema } from "../schema.ts";
import { kubernetesSchema } from "../kubernetes-schema.ts";

export interface APIGroupDiscovery {
  readonly apiVersion: "apidiscovery/v2";
  readonly kind: "APIGroupDiscovery";
  readonly metadata: ObjectMeta;
  readonly versions?: readonly APIVersionDiscovery[];
}

export const apiGroupDiscoverySchema: Schema<APIGroupDiscovery> = kubernetesSchema("io.k8s.api.apidiscovery.v2.APIGroupDiscovery");

export interface APIResourceDiscovery {
  readonly categories?: readonly string[];
  readonly resource: string;
  readonly responseKind?: GroupVersionKind;
  readonly scope: string;
  readonly shortNames?: readonly string[];
  readonly singularResource: string;
  readonly subresources?: readonly APISubresourceDiscovery[];
  readonly verbs: readonly string[];
}

export interface APISubresourceDiscovery {
  readonly acceptedTypes?: readonly GroupVersionKind[];
  readonly responseKind?: GroupVersionKind;
  readonly subresource: string;
  readonly verbs: readonly string[];
}

export interface APIVersionDiscovery {
  readonly freshness?: string;
  readonly resources?: readonly APIResourceDiscovery[];
  readonly version: string;
}
