import { addAll } from "../../base/add-all.ts";
import type { Service } from "../generated/core-v1.generated.ts";
import { cidrWarnings, ipWarnings } from "../ip-address.ts";

const hintsAnnotation = "service.kubernetes.io/topology-aware-hints";
const topologyAnnotation = "service.kubernetes.io/topology-mode";

/** What of a Service is deprecated, ignored, or not written as it should be. */
export function serviceWarnings({ metadata, spec }: Service): readonly string[] {
  const { externalIPs = [], externalName = "", loadBalancerIP = "", type } = spec;
  const warnings: string[] = [];
  if (metadata.annotations?.[hintsAnnotation] !== undefined) {
    warnings.push(
      `annotation ${hintsAnnotation} is deprecated, please use ${topologyAnnotation} instead`,
    );
  }
  const { clusterIP = "", clusterIPs = [] } = spec;
  const isHeadless = type === "ClusterIP" && clusterIP === "None";
  if (clusterIP !== "" && clusterIP !== "None") {
    clusterIPs.forEach((address, index) => {
      addAll(warnings, ipWarnings(`spec.clusterIPs[${index}]`, address));
    });
  }
  if (isHeadless) {
    if (loadBalancerIP !== "") {
      warnings.push("spec.loadBalancerIP is ignored for headless services");
    }
    if (externalIPs.length > 0) {
      warnings.push("spec.externalIPs is ignored for headless services");
    }
    if (spec.sessionAffinity !== "None") {
      warnings.push("spec.SessionAffinity is ignored for headless services");
    }
  }
  externalIPs.forEach((address, index) => {
    addAll(warnings, ipWarnings(`spec.externalIPs[${index}]`, address));
  });
  if (externalIPs.length > 0 && !isHeadless && type !== "ExternalName") {
    warnings.push(
      "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
    );
  }
  if (loadBalancerIP !== "") addAll(warnings, ipWarnings("spec.loadBalancerIP", loadBalancerIP));
  (spec.loadBalancerSourceRanges ?? []).forEach((range, index) => {
    addAll(warnings, cidrWarnings(`spec.loadBalancerSourceRanges[${index}]`, range));
  });
  if (type === "ExternalName" && externalIPs.length > 0) {
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  }
  if (type !== "ExternalName" && externalName !== "") {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (spec.trafficDistribution === "PreferClose") {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return warnings;
}
