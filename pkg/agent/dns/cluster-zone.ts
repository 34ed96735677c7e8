import type { Service } from "../../api/generated/core-v1.generated.ts";
import type { Endpoint, EndpointSlice } from "../../api/generated/discovery-v1.generated.ts";

export type Record =
  | { readonly type: "A" | "AAAA"; readonly data: string }
  | { readonly type: "CNAME" | "PTR" | "TXT"; readonly data: string }
  | {
      readonly type: "SRV";
      readonly data: {
        readonly priority: number;
        readonly weight: number;
        readonly port: number;
        readonly target: string;
      };
    };

/**
 * What the cluster's zone knows of a name. "empty": the name exists, or names below it do, without such a record
 * (NODATA). "foreign": not ours to answer.
 */
export type Answer =
  | { readonly outcome: "records"; readonly records: readonly Record[] }
  | { readonly outcome: "empty" | "missing" | "foreign" };

/** Where the zone reads the cluster's state. Each call costs what it returns. */
export interface ZoneSource {
  service(namespace: string, name: string): Service | undefined;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  namespaceExists(name: string): boolean;
  /** For reverse look-ups: the Service that holds a cluster IP. */
  serviceByAddress(address: string): Service | undefined;
}

const empty: Answer = { outcome: "empty" };
const missing: Answer = { outcome: "missing" };

/**
 * Answers a question about the cluster's names by Kubernetes' DNS specification (kubernetes/dns,
 * docs/specification.md): Services, headless Services and their hosts, SRV for named ports, pods by address,
 * ExternalName, and reverse names of cluster IPs.
 */
export function answerFromCluster(
  source: ZoneSource,
  domain: string,
  name: string,
  type: string,
): Answer {
  const question = name.toLowerCase().replace(/\.$/, "");
  if (question.endsWith(".in-addr.arpa")) return reverse(source, domain, question, type);
  if (question === domain) return empty;
  if (!question.endsWith(`.${domain}`)) return { outcome: "foreign" };
  const labels = question.slice(0, -domain.length - 1).split(".");
  const kind = labels.pop();
  if (kind === "dns-version" && labels.length === 0) return versionAnswer(type);
  if (kind === "pod") return podAnswer(source, labels, type);
  if (kind !== "svc") return missing;
  const namespace = labels.pop();
  if (namespace === undefined) return empty;
  const serviceName = labels.pop();
  if (serviceName === undefined) return source.namespaceExists(namespace) ? empty : missing;
  const service = source.service(namespace, serviceName);
  if (service === undefined) return missing;
  return serviceAnswer(source, domain, service, labels, type);
}

/** Of the DNS specification, not of mini8s. */
const specificationVersion = "1.1.0";

function versionAnswer(type: string): Answer {
  if (type !== "TXT" && type !== "ANY") return empty;
  return { outcome: "records", records: [{ type: "TXT", data: specificationVersion }] };
}

function serviceAnswer(
  source: ZoneSource,
  domain: string,
  service: Service,
  labels: readonly string[],
  type: string,
): Answer {
  const { namespace = "", name } = service.metadata;
  const base = `${name}.${namespace}.svc.${domain}`;
  if (service.spec.type === "ExternalName") {
    if (labels.length > 0) return missing;
    return {
      outcome: "records",
      records: [{ type: "CNAME", data: service.spec.externalName ?? "" }],
    };
  }
  const headless = service.spec.clusterIP === "None";
  const slices = headless ? source.slices(namespace, name) : [];
  const endpoints = headless ? servingEndpoints(service, slices) : [];
  if (labels.length === 0) {
    const addresses = headless
      ? endpoints.flatMap(({ endpoint }) => endpoint.addresses)
      : (service.spec.clusterIPs ?? []);
    // A headless Service without endpoints does not exist, as CoreDNS answers it.
    if (headless && addresses.length === 0) return missing;
    return addressAnswer(addresses, type);
  }
  const [first = "", second = ""] = labels;
  if (labels.length === 1 && headless && !first.startsWith("_")) {
    const named = endpoints.filter(({ endpoint }) => hostNameOf(endpoint) === first);
    return named.length === 0
      ? missing
      : addressAnswer(
          named.flatMap(({ endpoint }) => endpoint.addresses),
          type,
        );
  }
  if (labels.length !== 2 || !first.startsWith("_") || !second.startsWith("_")) {
    return labels.length === 1 && first.startsWith("_") ? empty : missing;
  }
  return portAnswer(service, endpoints, base, first.slice(1), second.slice(1), type);
}

interface ServingEndpoint {
  readonly endpoint: Endpoint;
  readonly slice: EndpointSlice;
}

function servingEndpoints(
  service: Service,
  slices: readonly EndpointSlice[],
): readonly ServingEndpoint[] {
  const unready = service.spec.publishNotReadyAddresses === true;
  return slices.flatMap((slice) =>
    (slice.endpoints ?? [])
      .filter(({ conditions }) => unready || (conditions?.ready ?? true))
      .map((endpoint) => ({ endpoint, slice })),
  );
}

/** The name of one host behind a headless Service: the pod's hostname, else its address with dashes. */
function hostNameOf({ hostname, addresses }: Endpoint): string {
  return hostname ?? (addresses[0] ?? "").replaceAll(/[.:]/g, "-");
}

function portAnswer(
  service: Service,
  endpoints: readonly ServingEndpoint[],
  base: string,
  portName: string,
  protocol: string,
  type: string,
): Answer {
  const matches = (port: { readonly name?: string; readonly protocol?: string }) =>
    port.name === portName && (port.protocol ?? "TCP").toLowerCase() === protocol;
  const targets =
    service.spec.clusterIP === "None"
      ? endpoints.flatMap(({ endpoint, slice }) =>
          (slice.ports ?? [])
            .filter(matches)
            .map(({ port = 0 }) => ({ port, target: `${hostNameOf(endpoint)}.${base}` })),
        )
      : (service.spec.ports ?? []).filter(matches).map(({ port }) => ({ port, target: base }));
  if (targets.length === 0) return missing;
  if (type !== "SRV" && type !== "ANY") return empty;
  const weight = Math.max(1, Math.floor(100 / targets.length));
  return {
    outcome: "records",
    records: targets.map((target) => ({ type: "SRV", data: { priority: 0, weight, ...target } })),
  };
}

/** `1-2-3-4.namespace.pod.domain` is 1.2.3.4, whoever has it, as CoreDNS's "pods insecure" of kubeadm and k3s. */
function podAnswer(source: ZoneSource, labels: readonly string[], type: string): Answer {
  const [address, namespace, ...rest] = labels.length === 1 ? [undefined, labels[0]] : labels;
  if (namespace === undefined) return empty;
  if (rest.length > 0 || !source.namespaceExists(namespace)) return missing;
  if (address === undefined) return empty;
  if (!/^\d{1,3}(-\d{1,3}){3}$/.test(address)) return missing;
  const dotted = address.replaceAll("-", ".");
  return dotted.split(".").some((part) => Number(part) > 255)
    ? missing
    : addressAnswer([dotted], type);
}

function reverse(source: ZoneSource, domain: string, question: string, type: string): Answer {
  const address = question.slice(0, -".in-addr.arpa".length).split(".").reverse().join(".");
  const service = source.serviceByAddress(address);
  if (service === undefined) return { outcome: "foreign" };
  if (type !== "PTR" && type !== "ANY") return empty;
  const { name, namespace } = service.metadata;
  return {
    outcome: "records",
    records: [{ type: "PTR", data: `${name}.${namespace}.svc.${domain}` }],
  };
}

function addressAnswer(addresses: readonly string[], type: string): Answer {
  const records = [...new Set(addresses)]
    .map((address): Record => ({ type: address.includes(":") ? "AAAA" : "A", data: address }))
    .filter((record) => record.type === type || type === "ANY");
  return records.length === 0 ? empty : { outcome: "records", records };
}
