import type { Service, ServiceSpec } from "../generated/core-v1.generated.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import {
  isExternallyAccessible,
  needsClusterIP,
  needsHealthCheck,
  needsNodePort,
} from "./service-type.ts";

type Spec = Draft<ServiceSpec>;

/** Puts back what the server once allocated, where the client left it out. */
export function keepAllocated(spec: Spec, previous: ServiceSpec): void {
  if (needsClusterIP(previous) && needsClusterIP(spec)) {
    if (isEmpty(spec.clusterIP)) setOrDelete(spec, "clusterIP", previous.clusterIP);
    if (isEmpty(spec.clusterIPs) && spec.clusterIP === previous.clusterIP) {
      setOrDelete(spec, "clusterIPs", previous.clusterIPs && [...previous.clusterIPs]);
    }
  }
  if (needsNodePort(previous) && needsNodePort(spec)) keepNodePorts(spec, previous);
  if (needsHealthCheck(previous) && needsHealthCheck(spec)) {
    spec.healthCheckNodePort ||= previous.healthCheckNodePort ?? 0;
  }
}

/** Ports are known by their names; whatever else of them changes, they keep their node ports. */
function keepNodePorts(spec: Spec, previous: ServiceSpec): void {
  const before = new Map((previous.ports ?? []).map(({ name = "", nodePort }) => [name, nodePort]));
  const used = nodePortsOf(spec);
  for (const port of spec.ports ?? []) {
    const known = before.get(port.name ?? "");
    if ((port.nodePort ?? 0) === 0 && known !== undefined && !used.has(known)) {
      port.nodePort = known;
    }
  }
}

function nodePortsOf({ ports = [] }: ServiceSpec | Spec): Set<number> {
  return new Set(ports.map(({ nodePort = 0 }) => nodePort).filter((port) => port !== 0));
}

/** A client that knows only `clusterIP` says by it what `clusterIPs` is, too. */
export function normalizeClusterIPs(spec: Spec, previous: ServiceSpec | undefined): void {
  const now = spec.clusterIP ?? "";
  if (previous === undefined) {
    if (now !== "" && isEmpty(spec.clusterIPs)) spec.clusterIPs = [now];
    return;
  }
  if (now === (previous.clusterIP ?? "")) return;
  if (!equalJson(spec.clusterIPs ?? [], previous.clusterIPs ?? [])) return;
  if (now === "") delete spec.clusterIPs;
  else spec.clusterIPs = [now];
}

/** What the new type has not goes, unless the client said something of its own about it. */
export function dropTypeDependent(service: Draft<Service>, { spec: previous }: Service): void {
  const { spec } = service;
  if (needsClusterIP(previous) && !needsClusterIP(spec)) {
    const same = (field: "clusterIPs" | "ipFamilies") =>
      equalJson(spec[field] ?? [], previous[field] ?? []);
    if ((spec.clusterIP ?? "") === (previous.clusterIP ?? "") && same("clusterIPs")) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (same("ipFamilies")) delete spec.ipFamilies;
    if (spec.ipFamilyPolicy === previous.ipFamilyPolicy) delete spec.ipFamilyPolicy;
  }
  if (needsNodePort(previous) && !needsNodePort(spec)) {
    const before = nodePortsOf(previous);
    if ([...nodePortsOf(spec)].every((port) => before.has(port))) {
      for (const port of spec.ports ?? []) delete port.nodePort;
    }
  }
  if (needsHealthCheck(previous) && !needsHealthCheck(spec)) {
    dropSame(spec, previous, "healthCheckNodePort");
  }
  if (previous.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
    dropSame(spec, previous, "allocateLoadBalancerNodePorts");
    dropSame(spec, previous, "loadBalancerClass");
  }
  if (isExternallyAccessible(previous) && !isExternallyAccessible(spec)) {
    dropSame(spec, previous, "externalTrafficPolicy");
  }
  if (spec.type !== "LoadBalancer") service.status.loadBalancer = {};
}

function dropSame(
  spec: Spec,
  previous: ServiceSpec,
  field:
    | "allocateLoadBalancerNodePorts"
    | "externalTrafficPolicy"
    | "healthCheckNodePort"
    | "loadBalancerClass",
): void {
  if (spec[field] === previous[field]) delete spec[field];
}

function isEmpty(value: string | readonly string[] | undefined): boolean {
  return value === undefined || value.length === 0;
}

function setOrDelete<Field extends "clusterIP" | "clusterIPs">(
  spec: Spec,
  field: Field,
  value: Spec[Field],
): void {
  if (value === undefined) delete spec[field];
  else spec[field] = value;
}
