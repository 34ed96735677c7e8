import { addAll } from "../../base/add-all.ts";
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
} from "../field-error.ts";
import type { Service, ServicePort, ServiceSpec } from "../generated/core-v1.generated.ts";
import { checkCidr, checkIpAddress, parseIp } from "../ip-address.ts";
import { validateLabels } from "../labels.ts";
import { checkDnsLabel, checkDnsSubdomain, checkPortNumber, checkQualifiedName } from "../names.ts";
import type { FieldError } from "../resource.ts";
import { checkEndpointIp } from "./endpoint-ip.ts";
import {
  isExternallyAccessible,
  isHeadless,
  needsHealthCheck,
  needsNodePort,
} from "./service-type.ts";
import {
  forbidClusterIPs,
  validateClusterIPs,
  validateClusterIPsUpdate,
  validateIpFamiliesUpdate,
} from "./validate-cluster-ips.ts";
import { validatePortReference } from "./validate-container.ts";

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const protocols = ["SCTP", "TCP", "UDP"];

const hintsAnnotation = "service.kubernetes.io/topology-aware-hints";
const topologyAnnotation = "service.kubernetes.io/topology-mode";
const rangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";

/** What is wrong with a Service. What was there before an update is not asked about again. */
export function validateService(
  service: Service,
  previous: Service | undefined,
): readonly FieldError[] {
  const { spec } = service;
  const { ports = [], type = "" } = spec;
  const errors: FieldError[] = [...validateTopology(service)];
  if (ports.length === 0 && !isHeadless(spec) && type !== "ExternalName") {
    errors.push(required("spec.ports"));
  }
  validateType(spec, errors);
  validatePorts(ports, errors);
  addAll(errors, validateLabels(spec.selector, "spec.selector"));
  validateAffinity(spec, errors);
  addAll(errors, validateClusterIPs(spec, previous?.spec));
  validateExternalIPs(spec, previous?.spec, errors);
  if (!types.includes(type)) errors.push(notSupported("spec.type", type, types));
  validatePortNumbers(type, ports, errors);
  validateSourceRanges(service, previous, errors);
  if (spec.allocateLoadBalancerNodePorts !== undefined && type !== "LoadBalancer") {
    errors.push(forbidden("spec.allocateLoadBalancerNodePorts", onlyLoadBalancer));
  }
  validateLoadBalancerClass(spec, errors);
  validateTraffic(spec, errors);
  return errors;
}

const onlyLoadBalancer = "may only be used when `type` is 'LoadBalancer'";

export function validateServiceUpdate(next: Service, previous: Service): readonly FieldError[] {
  const errors: FieldError[] = [
    ...validateClusterIPsUpdate(next.spec, previous.spec),
    ...validateIpFamiliesUpdate(next.spec, previous.spec),
  ];
  const { loadBalancerClass } = next.spec;
  const bothBalance = next.spec.type === "LoadBalancer" && previous.spec.type === "LoadBalancer";
  if (bothBalance && loadBalancerClass !== previous.spec.loadBalancerClass) {
    errors.push(invalid("spec.loadBalancerClass", loadBalancerClass, "may not change once set"));
  }
  validateLoadBalancerClass(next.spec, errors);
  const keepsHealthCheck = needsHealthCheck(next.spec) && needsHealthCheck(previous.spec);
  if (keepsHealthCheck && next.spec.healthCheckNodePort !== previous.spec.healthCheckNodePort) {
    errors.push(forbidden("spec.healthCheckNodePort", "field is immutable"));
  }
  return [...errors, ...validateService(next, previous)];
}

function validateTopology({ metadata }: Service): readonly FieldError[] {
  const hints = metadata.annotations?.[hintsAnnotation];
  const mode = metadata.annotations?.[topologyAnnotation];
  if (hints === undefined || mode === undefined || hints === mode) return [];
  return [
    invalid(
      `metadata.annotations[${topologyAnnotation}]`,
      mode,
      `must match annotations[${hintsAnnotation}] when both are specified`,
    ),
  ];
}

function validateType(spec: ServiceSpec, errors: FieldError[]): void {
  const { externalName = "", type } = spec;
  if (needsNodePort(spec) && isHeadless(spec)) {
    const why = `may not be set to 'None' for ${type} services`;
    errors.push(invalid("spec.clusterIPs[0]", "None", why));
  }
  if (type !== "ExternalName") return;
  addAll(errors, forbidClusterIPs(spec));
  const name = externalName.replace(/\.$/, "");
  if (name === "") errors.push(required("spec.externalName"));
  else addAll(errors, invalidEach("spec.externalName", name, checkDnsSubdomain(name)));
}

function validatePorts(ports: readonly ServicePort[], errors: FieldError[]): void {
  const names = new Set<string>();
  ports.forEach((port, index) => {
    const at = `spec.ports[${index}]`;
    const name = port.name ?? "";
    if (name === "") {
      if (ports.length > 1) errors.push(required(`${at}.name`));
    } else {
      addAll(errors, invalidEach(`${at}.name`, name, checkDnsLabel(name)));
      if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    addAll(errors, invalidEach(`${at}.port`, port.port, checkPortNumber(port.port)));
    if (!protocols.includes(port.protocol)) {
      errors.push(notSupported(`${at}.protocol`, port.protocol, protocols));
    }
    if (port.targetPort !== undefined) {
      validatePortReference(port.targetPort, `${at}.targetPort`, errors);
    }
    if (port.appProtocol !== undefined) {
      const problems = checkQualifiedName(port.appProtocol);
      addAll(errors, invalidEach(`${at}.appProtocol`, port.appProtocol, problems));
    }
  });
}

/** A node port, and a port, is there once for each protocol. */
function validatePortNumbers(
  type: string,
  ports: readonly ServicePort[],
  errors: FieldError[],
): void {
  if (type === "ClusterIP") {
    ports.forEach(({ nodePort = 0 }, index) => {
      if (nodePort === 0) return;
      const why = "may not be used when `type` is 'ClusterIP'";
      errors.push(forbidden(`spec.ports[${index}].nodePort`, why));
    });
  }
  const nodePorts = new Set<string>();
  ports.forEach(({ nodePort = 0, protocol }, index) => {
    if (nodePort === 0) return;
    const identity = `${protocol}/${nodePort}`;
    if (nodePorts.has(identity)) {
      errors.push(duplicate(`spec.ports[${index}].nodePort`, nodePort));
    }
    nodePorts.add(identity);
  });
  const seen = new Set<string>();
  ports.forEach(({ port, protocol }, index) => {
    const identity = `${protocol}/${port}`;
    if (seen.has(identity)) {
      errors.push(duplicate(`spec.ports[${index}]`, bareGoPort(protocol, port)));
    }
    seen.add(identity);
  });
}

/** As upstream prints the Go value by which it tells ports apart. */
function bareGoPort(protocol: string, port: number): object {
  return {
    Name: "",
    Protocol: protocol,
    AppProtocol: null,
    Port: port,
    TargetPort: 0,
    NodePort: 0,
  };
}

const affinitySecondsMax = 86_400;

function validateAffinity(spec: ServiceSpec, errors: FieldError[]): void {
  const { sessionAffinity = "", sessionAffinityConfig } = spec;
  const at = "spec.sessionAffinityConfig";
  switch (sessionAffinity) {
    case "None":
      if (sessionAffinityConfig !== undefined) {
        errors.push(forbidden(at, "must not be set when session affinity is None"));
      }
      break;
    case "ClientIP": {
      const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0;
      if (seconds > 0 && seconds <= affinitySecondsMax) break;
      const why = `must be greater than 0 and less than ${affinitySecondsMax}`;
      errors.push(invalid(`${at}.clientIP.timeoutSeconds`, seconds, why));
      break;
    }
    default:
      errors.push(notSupported("spec.sessionAffinity", sessionAffinity, ["ClientIP", "None"]));
  }
}

function validateExternalIPs(
  { externalIPs = [] }: ServiceSpec,
  previous: ServiceSpec | undefined,
  errors: FieldError[],
): void {
  externalIPs.forEach((address, index) => {
    const isKnown = previous?.externalIPs?.includes(address) === true;
    const problems = isKnown ? [] : checkIpAddress(address);
    const all = problems.length > 0 ? problems : checkEndpointIp(address);
    addAll(errors, invalidEach(`spec.externalIPs[${index}]`, address, all));
  });
}

function validateSourceRanges(
  { metadata, spec }: Service,
  previous: Service | undefined,
  errors: FieldError[],
): void {
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const annotated = metadata.annotations?.[rangesAnnotation];
  const isBalancer = spec.type === "LoadBalancer";
  if (ranges.length > 0) {
    // Written so upstream.
    const at = "spec.LoadBalancerSourceRanges";
    if (!isBalancer) errors.push(forbidden(at, onlyLoadBalancer));
    const known = new Set(previous?.spec.loadBalancerSourceRanges?.map((range) => range.trim()));
    ranges.forEach((range, index) => {
      const text = range.trim();
      const problems = known.has(text) ? [] : checkCidr(text);
      addAll(errors, invalidEach(`${at}[${index}]`, text, problems));
    });
  } else if (annotated !== undefined) {
    const at = `metadata.annotations[${rangesAnnotation}]`;
    if (!isBalancer) errors.push(forbidden(at, onlyLoadBalancer));
    if (previous?.metadata.annotations?.[rangesAnnotation] === annotated) return;
    if (annotated.trim() === "") return;
    for (const range of annotated.trim().split(",")) {
      addAll(errors, invalidEach(at, range.trim(), checkCidr(range.trim())));
    }
  }
}

function validateLoadBalancerClass(
  { loadBalancerClass: name, type }: ServiceSpec,
  errors: FieldError[],
): void {
  if (name === undefined) return;
  const at = "spec.loadBalancerClass";
  if (type !== "LoadBalancer") errors.push(forbidden(at, onlyLoadBalancer));
  else addAll(errors, invalidEach(at, name, checkQualifiedName(name)));
}

const policies = ["Cluster", "Local"];
const distributions = ["PreferClose", "PreferSameZone", "PreferSameNode"];

function validateTraffic(spec: ServiceSpec, errors: FieldError[]): void {
  const { externalTrafficPolicy: external = "", healthCheckNodePort = 0 } = spec;
  const at = "spec.externalTrafficPolicy";
  if (!isExternallyAccessible(spec)) {
    if (external !== "") {
      errors.push(invalid(at, external, "may only be set for externally-accessible services"));
    }
  } else if (external === "") errors.push(required(at));
  else if (!policies.includes(external)) errors.push(notSupported(at, external, policies));
  const portPath = "spec.healthCheckNodePort";
  if (!needsHealthCheck(spec)) {
    if (healthCheckNodePort !== 0) {
      const why =
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
      errors.push(invalid(portPath, healthCheckNodePort, why));
    }
  } else if (healthCheckNodePort === 0) errors.push(required(portPath));
  else {
    const problems = checkPortNumber(healthCheckNodePort);
    addAll(errors, invalidEach(portPath, healthCheckNodePort, problems));
  }
  const internal = spec.internalTrafficPolicy;
  if (internal !== undefined && !policies.includes(internal)) {
    errors.push(notSupported("spec.internalTrafficPolicy", internal, policies));
  }
  const distribution = spec.trafficDistribution;
  if (distribution !== undefined && !distributions.includes(distribution)) {
    errors.push(notSupported("spec.trafficDistribution", distribution, distributions));
  }
}

const ipModes = ["Proxy", "VIP"];

export function validateServiceStatus(next: Service, previous: Service): readonly FieldError[] {
  const errors: FieldError[] = [];
  const at = "status.loadBalancer.ingress";
  const ingress = next.status.loadBalancer?.ingress ?? [];
  if (next.spec.type !== "LoadBalancer" && ingress.length > 0) {
    return [forbidden(at, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  const known = new Set(previous.status.loadBalancer?.ingress?.map(({ ip }) => ip));
  ingress.forEach(({ hostname = "", ip = "", ipMode }, index) => {
    const path = `${at}[${index}]`;
    if (ip !== "" && !known.has(ip)) {
      addAll(errors, invalidEach(`${path}.ip`, ip, checkIpAddress(ip)));
    }
    if (ipMode === undefined) {
      if (ip !== "") errors.push(required(`${path}.ipMode`, "must be specified when `ip` is set"));
    } else if (ip === "") {
      errors.push(forbidden(`${path}.ipMode`, "may not be specified when `ip` is not set"));
    } else if (!ipModes.includes(ipMode)) {
      errors.push(notSupported(`${path}.ipMode`, ipMode, ipModes));
    }
    if (hostname === "") return;
    addAll(errors, invalidEach(`${path}.hostname`, hostname, checkDnsSubdomain(hostname)));
    if (parseIp(hostname) !== undefined) {
      const why = "must be a DNS name, not an IP address";
      errors.push(invalid(`${path}.hostname`, hostname, why));
    }
  });
  return errors;
}
