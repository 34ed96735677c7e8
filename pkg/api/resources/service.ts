import { ageColumn, nameColumn, printLabels } from "../columns.ts";
import { type Service, type ServicePort, serviceSchema } from "../generated/core-v1.generated.ts";
import type { Draft } from "../object.ts";
import { defineResource } from "../resource.ts";
import { isExternallyAccessible, needsNodePort } from "../shared/service-type.ts";
import { dropTypeDependent, keepAllocated, normalizeClusterIPs } from "../shared/service-update.ts";
import { serviceWarnings } from "../shared/service-warnings.ts";
import {
  validateService,
  validateServiceStatus,
  validateServiceUpdate,
} from "../shared/validate-service.ts";

export const serviceResource = defineResource<Service>({
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  shortNames: ["svc"],
  categories: ["all"],
  scope: "namespace",
  schema: serviceSchema,
  nameRule: "dns-label",
  subresources: { status: true },
  defaults,
  prepareCreate(service) {
    service.status = { loadBalancer: {} };
    normalizeClusterIPs(service.spec, undefined);
  },
  prepareUpdate(service, previous) {
    keepAllocated(service.spec, previous.spec);
    normalizeClusterIPs(service.spec, previous.spec);
    dropTypeDependent(service, previous);
  },
  validateCreate: (service) => validateService(service, undefined),
  validateUpdate: validateServiceUpdate,
  validateStatusUpdate: validateServiceStatus,
  warnings: serviceWarnings,
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

function defaults({ spec, status }: Draft<Service>): void {
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (
    spec.sessionAffinity === "ClientIP" &&
    spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined
  ) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: affinitySeconds } };
  }
  spec.type ||= "ClusterIP";
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    port.targetPort ||= port.port;
  }
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= "Cluster";
  if (needsNodePort(spec) || spec.type === "ClusterIP") spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type !== "LoadBalancer") return;
  spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of status?.loadBalancer?.ingress ?? []) {
    if ((ingress.ip ?? "") !== "") ingress.ipMode ??= "VIP";
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
