import type { ServiceSpec } from "../generated/core-v1.generated.ts";
import type { Draft } from "../object.ts";

type Spec = ServiceSpec | Draft<ServiceSpec>;

/** True of every type but ExternalName. */
export function needsClusterIP({ type }: Pick<Spec, "type">): boolean {
  return type !== "ExternalName";
}

export function needsNodePort({ type }: Pick<Spec, "type">): boolean {
  return type === "NodePort" || type === "LoadBalancer";
}

/** Whether a port of a node says if this node has back ends. */
export function needsHealthCheck(spec: Pick<Spec, "type" | "externalTrafficPolicy">): boolean {
  return spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
}

export function isExternallyAccessible(spec: Pick<Spec, "type" | "externalIPs">): boolean {
  return needsNodePort(spec) || (spec.type === "ClusterIP" && (spec.externalIPs ?? []).length > 0);
}

/** With the word `None` for an address. */
export function isHeadless({ clusterIPs }: Pick<Spec, "clusterIPs">): boolean {
  return clusterIPs?.length === 1 && clusterIPs[0] === "None";
}
