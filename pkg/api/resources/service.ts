import { ageColumn, nameColumn, printLabels } from "../columns.ts";
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
} from "../field-error.ts";
import {
  type Service,
  type ServicePort,
  type ServiceSpec,
  serviceSchema,
} from "../generated/core-v1.generated.ts";
import { checkCidr, checkIpAddress } from "../ip-address.ts";
import { validateLabels } from "../labels.ts";
import { checkDnsLabel, checkDnsSubdomain, checkPortNumber, checkQualifiedName } from "../names.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { validatePortReference } from "../shared/validate-container.ts";

export const serviceResource = defineResource<Service>({
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  shortNames: ["svc"],
  categories: ["all"],
  scope: "namespace",
  schema: serviceSchema,
  nameRule: "dns-1035-label",
  subresources: { status: true },
  defaults,
  prepareCreate(service) {
    service.status = { loadBalancer: {} };
    const { clusterIP = "", clusterIPs = [] } = service.spec;
    if (clusterIP !== "" && clusterIPs.length === 0) service.spec.clusterIPs = [clusterIP];
  },
  prepareUpdate({ spec }, previous) {
    normalizeClusterIPs(spec, previous.spec);
    keepAllocated(spec, previous.spec);
    dropWhatTheTypeHasNot(spec, previous.spec);
  },
  validate,
  validateUpdate,
  warnings: ({ spec }) =>
    isHeadless(spec) && spec.sessionAffinity !== "None"
      ? ["spec.SessionAffinity is ignored for headless services"]
      : [],
  selectableFields: {
    "spec.clusterIP": ({ spec }) => spec.clusterIP ?? "",
    "spec.type": ({ spec }) => spec.type ?? "",
  },
  columns: [
    nameColumn,
    {
      name: "Type",
      type: "string",
      description: "How the service is reached.",
      cell: ({ spec }) => spec.type ?? "",
    },
    {
      name: "Cluster-IP",
      type: "string",
      description: "The address within the cluster.",
      cell: ({ spec }) => spec.clusterIPs?.[0] ?? "<none>",
    },
    {
      name: "External-IP",
      type: "string",
      description: "The addresses from outside.",
      cell: externalIP,
    },
    {
      name: "Port(s)",
      type: "string",
      description: "The ports, with those of the nodes.",
      cell: ({ spec }) => (spec.ports ?? []).map(printPort).join(",") || "<none>",
    },
    ageColumn,
    {
      name: "Selector",
      type: "string",
      priority: 1,
      description: "Which pods serve.",
      cell: ({ spec }) => printLabels(spec.selector),
    },
  ],
});

const affinitySeconds = 10_800;
const affinitySecondsMax = 86_400;

function defaults({ spec, status }: Draft<Service>): void {
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  else if (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: affinitySeconds } };
  }
  spec.type ||= "ClusterIP";
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    port.targetPort ||= port.port;
  }
  const external = spec.type === "NodePort" || spec.type === "LoadBalancer";
  if (external || (spec.type === "ClusterIP" && (spec.externalIPs ?? []).length > 0)) {
    spec.externalTrafficPolicy ||= "Cluster";
  }
  if (external || spec.type === "ClusterIP") spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type === "LoadBalancer") {
    spec.allocateLoadBalancerNodePorts ??= true;
    for (const ingress of status?.loadBalancer?.ingress ?? []) {
      if (ingress.ip !== undefined) ingress.ipMode ??= "VIP";
    }
  }
}

function isHeadless({ clusterIP }: Pick<ServiceSpec, "clusterIP">): boolean {
  return clusterIP === "None";
}

function hasNodePorts({ type, allocateLoadBalancerNodePorts }: Draft<ServiceSpec>): boolean {
  return (
    type === "NodePort" || (type === "LoadBalancer" && allocateLoadBalancerNodePorts !== false)
  );
}

function hasClusterIP({ type }: Pick<ServiceSpec, "type">): boolean {
  return type === "ClusterIP" || type === "NodePort" || type === "LoadBalancer";
}

// ---- updates ----------------------------------------------------------------

/** A client that knows only one of the two fields for the cluster's address changes both. */
function normalizeClusterIPs(spec: Draft<ServiceSpec>, previous: ServiceSpec): void {
  const before = previous.clusterIP ?? "";
  const now = spec.clusterIP ?? "";
  if (before === now) return;
  if (now === "" && equalJson(spec.clusterIPs, previous.clusterIPs)) delete spec.clusterIPs;
  else if (now !== "" && isUntold(spec.clusterIPs, previous.clusterIPs)) spec.clusterIPs = [now];
}

/** A list that was left out, or sent back as it was. */
function isUntold(sent: readonly string[] = [], previous: readonly string[] = []): boolean {
  return sent.length === 0 || equalJson(sent, previous);
}

/** What the server once allocated stays, where the client left it out. */
function keepAllocated(spec: Draft<ServiceSpec>, previous: ServiceSpec): void {
  if (hasClusterIP(previous) && hasClusterIP(spec)) {
    if ((spec.clusterIP ?? "") === "" && previous.clusterIP !== undefined) {
      spec.clusterIP = previous.clusterIP;
    }
    if ((spec.clusterIPs ?? []).length === 0 && spec.clusterIP === previous.clusterIP) {
      spec.clusterIPs = [...(previous.clusterIPs ?? [])];
    }
  }
  if (hasNodePorts(previous as Draft<ServiceSpec>) && hasNodePorts(spec)) {
    for (const port of spec.ports ?? []) {
      if ((port.nodePort ?? 0) !== 0) continue;
      const same = previous.ports?.find(
        (other) => other.port === port.port && other.protocol === port.protocol,
      );
      const isTaken = spec.ports?.some((other) => other.nodePort === same?.nodePort);
      if (same?.nodePort !== undefined && isTaken !== true) port.nodePort = same.nodePort;
    }
  }
  if (
    spec.healthCheckNodePort === undefined &&
    usesHealthCheck(spec) &&
    usesHealthCheck(previous)
  ) {
    if (previous.healthCheckNodePort !== undefined) {
      spec.healthCheckNodePort = previous.healthCheckNodePort;
    }
  }
  if (spec.ipFamilyPolicy === undefined && previous.ipFamilyPolicy !== undefined) {
    if (hasClusterIP(spec)) spec.ipFamilyPolicy = previous.ipFamilyPolicy;
  }
  if (spec.ipFamilies === undefined && previous.ipFamilies !== undefined && hasClusterIP(spec)) {
    spec.ipFamilies = [...previous.ipFamilies];
  }
}

function usesHealthCheck(spec: Pick<ServiceSpec, "type" | "externalTrafficPolicy">): boolean {
  return spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
}

/** A change of type takes along what the old type had, unless the client says something of its own. */
function dropWhatTheTypeHasNot(spec: Draft<ServiceSpec>, previous: ServiceSpec): void {
  if (hasClusterIP(previous) && !hasClusterIP(spec) && spec.clusterIP === previous.clusterIP) {
    delete spec.clusterIP;
    delete spec.clusterIPs;
    delete spec.ipFamilies;
    delete spec.ipFamilyPolicy;
  }
  if (hasNodePorts(previous as Draft<ServiceSpec>) && !hasNodePorts(spec)) {
    const before = new Set((previous.ports ?? []).map(({ nodePort }) => nodePort));
    for (const port of spec.ports ?? []) if (before.has(port.nodePort)) delete port.nodePort;
  }
  if (usesHealthCheck(previous) && !usesHealthCheck(spec)) {
    if (spec.healthCheckNodePort === previous.healthCheckNodePort) delete spec.healthCheckNodePort;
  }
  const wasExternal = previous.type === "NodePort" || previous.type === "LoadBalancer";
  const isExternal = spec.type === "NodePort" || spec.type === "LoadBalancer";
  if (wasExternal && !isExternal && (spec.externalIPs ?? []).length === 0) {
    if (spec.externalTrafficPolicy === previous.externalTrafficPolicy) {
      delete spec.externalTrafficPolicy;
    }
  }
  if (previous.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
    if (spec.loadBalancerClass === previous.loadBalancerClass) delete spec.loadBalancerClass;
    if (spec.allocateLoadBalancerNodePorts === previous.allocateLoadBalancerNodePorts) {
      delete spec.allocateLoadBalancerNodePorts;
    }
  }
  if (hasClusterIP(previous) && !hasClusterIP(spec)) {
    if (spec.internalTrafficPolicy === previous.internalTrafficPolicy) {
      delete spec.internalTrafficPolicy;
    }
  }
}

function validateUpdate(
  { spec: next }: Service,
  { spec: previous }: Service,
): readonly FieldError[] {
  if (!hasClusterIP(previous) || !hasClusterIP(next)) return [];
  const before = previous.clusterIPs?.[0];
  const now = next.clusterIPs?.[0];
  return before !== undefined && now !== undefined && before !== now
    ? [invalid("spec.clusterIPs[0]", next.clusterIPs, "may not change once set")]
    : [];
}

// ---- validation --------------------------------------------------------------

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const protocols = ["SCTP", "TCP", "UDP"];
const kubeletPort = 10_250;

function validate({ spec }: Service): readonly FieldError[] {
  const errors: FieldError[] = [];
  const ports = spec.ports ?? [];
  const type = spec.type ?? "";
  if (ports.length === 0 && !isHeadless(spec) && type !== "ExternalName") {
    errors.push(required("spec.ports"));
  }
  validateType(spec, errors);
  validatePorts(ports, errors);
  errors.push(...validateLabels(spec.selector, "spec.selector"));
  validateAffinity(spec, errors);
  validateAddresses(spec, errors);
  if (!types.includes(type)) errors.push(notSupported("spec.type", type, types));
  validateNodePorts(type, ports, errors);
  validateTraffic(spec, errors);
  return errors;
}

function validateType(spec: ServiceSpec, errors: FieldError[]): void {
  const { type } = spec;
  if ((type === "LoadBalancer" || type === "NodePort") && isHeadless(spec)) {
    errors.push(
      invalid("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${type} services`),
    );
  }
  if (type === "LoadBalancer") {
    (spec.ports ?? []).forEach(({ port }, index) => {
      if (port === kubeletPort) {
        errors.push(
          invalid(
            `spec.ports[${index}]`,
            port,
            "may not expose port 10250 externally since it is used by kubelet",
          ),
        );
      }
    });
  }
  if (type !== "ExternalName") return;
  if ((spec.clusterIPs ?? []).length > 0 || (spec.clusterIP ?? "") !== "") {
    errors.push(forbidden("spec.clusterIPs", "may not be set for ExternalName services"));
  }
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  if (name === "") errors.push(required("spec.externalName"));
  else errors.push(...invalidEach("spec.externalName", name, checkDnsSubdomain(name)));
}

function validatePorts(ports: readonly ServicePort[], errors: FieldError[]): void {
  const names = new Set<string>();
  const seen = new Set<string>();
  ports.forEach((port, index) => {
    const at = `spec.ports[${index}]`;
    const name = port.name ?? "";
    if (name === "") {
      if (ports.length > 1) errors.push(required(`${at}.name`));
    } else {
      errors.push(...invalidEach(`${at}.name`, name, checkDnsLabel(name)));
      if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    errors.push(...invalidEach(`${at}.port`, port.port, checkPortNumber(port.port)));
    if (!protocols.includes(port.protocol)) {
      errors.push(notSupported(`${at}.protocol`, port.protocol, protocols));
    }
    if (port.targetPort !== undefined) {
      validatePortReference(port.targetPort, `${at}.targetPort`, errors);
    }
    if (port.appProtocol !== undefined) {
      errors.push(
        ...invalidEach(`${at}.appProtocol`, port.appProtocol, checkQualifiedName(port.appProtocol)),
      );
    }
    const identity = `${port.protocol}/${port.port}`;
    if (seen.has(identity)) {
      errors.push(duplicate(at, { protocol: port.protocol, port: port.port }));
    }
    seen.add(identity);
  });
}

function validateNodePorts(
  type: string,
  ports: readonly ServicePort[],
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  ports.forEach(({ nodePort = 0, protocol }, index) => {
    if (nodePort === 0) return;
    const at = `spec.ports[${index}].nodePort`;
    if (type === "ClusterIP") {
      errors.push(forbidden(at, "may not be used when `type` is 'ClusterIP'"));
      return;
    }
    const identity = `${protocol}/${nodePort}`;
    if (seen.has(identity)) errors.push(duplicate(at, nodePort));
    seen.add(identity);
  });
}

function validateAffinity(spec: ServiceSpec, errors: FieldError[]): void {
  const affinity = spec.sessionAffinity ?? "";
  if (affinity === "None") {
    if (spec.sessionAffinityConfig !== undefined) {
      errors.push(
        forbidden("spec.sessionAffinityConfig", "must not be set when session affinity is None"),
      );
    }
  } else if (affinity === "ClientIP") {
    const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0;
    if (seconds <= 0 || seconds > affinitySecondsMax) {
      errors.push(
        invalid(
          "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
          seconds,
          `must be greater than 0 and less than ${affinitySecondsMax}`,
        ),
      );
    }
  } else errors.push(notSupported("spec.sessionAffinity", affinity, ["ClientIP", "None"]));
}

function validateAddresses(spec: ServiceSpec, errors: FieldError[]): void {
  const clusterIPs = spec.clusterIPs ?? [];
  if (spec.clusterIP !== undefined && clusterIPs.length > 0 && clusterIPs[0] !== spec.clusterIP) {
    errors.push(invalid("spec.clusterIPs", clusterIPs, "first value must match `clusterIP`"));
  }
  clusterIPs.forEach((address, index) => {
    if (address === "None") {
      if (clusterIPs.length > 1) {
        errors.push(
          invalid(`spec.clusterIPs[${index}]`, address, "'None' must be the first and only value"),
        );
      }
      return;
    }
    errors.push(...invalidEach(`spec.clusterIPs[${index}]`, address, checkIpAddress(address)));
  });
  (spec.externalIPs ?? []).forEach((address, index) => {
    errors.push(...invalidEach(`spec.externalIPs[${index}]`, address, checkIpAddress(address)));
  });
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0 && spec.type !== "LoadBalancer") {
    errors.push(
      forbidden("spec.LoadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'"),
    );
  }
  ranges.forEach((range, index) => {
    errors.push(
      ...invalidEach(`spec.LoadBalancerSourceRanges[${index}]`, range, checkCidr(range.trim())),
    );
  });
}

const policies = ["Cluster", "Local"];
const distributions = ["PreferClose", "PreferSameZone", "PreferSameNode"];

function validateTraffic(spec: ServiceSpec, errors: FieldError[]): void {
  const external = spec.externalTrafficPolicy;
  const isExternal =
    spec.type === "NodePort" ||
    spec.type === "LoadBalancer" ||
    (spec.type === "ClusterIP" && (spec.externalIPs ?? []).length > 0);
  if (external !== undefined) {
    if (!isExternal) {
      errors.push(
        invalid(
          "spec.externalTrafficPolicy",
          external,
          "may only be set for externally-accessible services",
        ),
      );
    } else if (!policies.includes(external)) {
      errors.push(notSupported("spec.externalTrafficPolicy", external, policies));
    }
  }
  const internal = spec.internalTrafficPolicy;
  if (internal !== undefined && !policies.includes(internal)) {
    errors.push(notSupported("spec.internalTrafficPolicy", internal, policies));
  }
  const distribution = spec.trafficDistribution;
  if (distribution !== undefined && !distributions.includes(distribution)) {
    errors.push(notSupported("spec.trafficDistribution", distribution, distributions));
  }
  const healthPort = spec.healthCheckNodePort ?? 0;
  if (healthPort !== 0 && !usesHealthCheck(spec)) {
    errors.push(
      invalid(
        "spec.healthCheckNodePort",
        healthPort,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ),
    );
  }
}

// ---- columns -----------------------------------------------------------------

function printPort({ port, nodePort = 0, protocol }: ServicePort): string {
  return nodePort > 0 ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`;
}

function externalIP({ spec, status }: Service): string {
  const given = spec.externalIPs ?? [];
  switch (spec.type) {
    case "ClusterIP":
    case "NodePort":
      return given.join(",") || "<none>";
    case "LoadBalancer": {
      const ingress = status.loadBalancer?.ingress ?? [];
      const addresses = new Set(ingress.map(({ ip, hostname }) => ip || hostname || ""));
      addresses.delete("");
      return [...[...addresses].sort(), ...given].join(",") || "<pending>";
    }
    case "ExternalName":
      return spec.externalName ?? "";
    default:
      return "<unknown>";
  }
}
