import type { Service, ServicePort } from "../../api/generated/core-v1.generated.ts";
import type { Endpoint, EndpointSlice } from "../../api/generated/discovery-v1.generated.ts";

export type Protocol = "tcp" | "udp" | "sctp";

export interface Backend {
  readonly address: string;
  readonly port: number;
}

/** One way into a Service, and who stands behind it: all that a back end of the proxy needs to know. */
export interface Frontend {
  /** "address": packets to `address`; "node-port": packets to any of the node's own addresses but loopback's. */
  readonly kind: "address" | "node-port";
  /** "" for a node port. */
  readonly address: string;
  readonly protocol: Protocol;
  readonly port: number;
  /** `namespace/name:port`, for people who read rules. */
  readonly service: string;
  /** In a stable order, so that a rule text is the same for the same world. */
  readonly backends: readonly Backend[];
  /** How long a client keeps its back end; 0: each connection is on its own. */
  readonly affinitySeconds: number;
  /**
   * True where replies must come back through this node because the client's address may not be seen by the
   * pod: traffic from outside under `externalTrafficPolicy: Cluster`.
   */
  readonly masquerade: boolean;
  /** What happens to packets while no back end is there. */
  readonly whenEmpty: "reject" | "drop";
}

/** Every way in, ordered by {@link frontendId}. */
export type ServiceTable = readonly Frontend[];

/** What tells frontends apart: no two in a table share it. */
export function frontendId(frontend: Frontend): string {
  return `${frontend.kind === "node-port" ? "*" : frontend.address} ${frontend.protocol} ${frontend.port}`;
}

/** True where both are the same to a packet and to the rules made of them. */
export function sameFrontend(one: Frontend, other: Frontend): boolean {
  if (one === other) return true;
  return (
    one.kind === other.kind &&
    one.address === other.address &&
    one.protocol === other.protocol &&
    one.port === other.port &&
    one.service === other.service &&
    one.affinitySeconds === other.affinitySeconds &&
    one.masquerade === other.masquerade &&
    one.whenEmpty === other.whenEmpty &&
    one.backends.length === other.backends.length &&
    one.backends.every(({ address, port }, index) => {
      const backend = other.backends[index];
      return backend?.address === address && backend.port === port;
    })
  );
}

/** What differs between two tables: the frontends as they were, and as they are now. */
export interface TableChange {
  readonly before: ServiceTable;
  readonly after: ServiceTable;
}

/** Costs a comparison for each frontend, and nothing more for those that are the same. */
export function changeOf(
  before: ReadonlyMap<string, Frontend>,
  after: ReadonlyMap<string, Frontend>,
): TableChange {
  const gone: Frontend[] = [];
  const come: Frontend[] = [];
  for (const [id, frontend] of after) {
    const old = before.get(id);
    if (old !== undefined && sameFrontend(old, frontend)) continue;
    come.push(frontend);
    if (old !== undefined) gone.push(old);
  }
  if (before.size + come.length - gone.length !== after.size) {
    for (const [id, frontend] of before) if (!after.has(id)) gone.push(frontend);
  }
  return { before: gone, after: come };
}

/** A table by {@link frontendId}. */
export function byId(table: ServiceTable): ReadonlyMap<string, Frontend> {
  return new Map(table.map((frontend) => [frontendId(frontend), frontend]));
}

/** The label that hands a Service to another proxy (kube-proxy's API). */
const otherProxyLabel = "service.kubernetes.io/service-proxy-name";

const protocols: Readonly<Record<string, Protocol>> = { TCP: "tcp", UDP: "udp", SCTP: "sctp" };

export interface ServiceTableInput {
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly nodeName: string;
  /** Addresses that the node itself answers, such as the cluster DNS's: no rule may catch them. */
  readonly answeredHere: ReadonlySet<string>;
}

/**
 * Who serves what on this node, decided from Services and EndpointSlices alone, as kube-proxy does: ready
 * endpoints, or where there are none, those that still serve while they terminate; local ones only where a
 * traffic policy says so.
 */
export function buildServiceTable(input: ServiceTableInput): ServiceTable {
  const slicesByService = groupSlices(input.slices);
  const table = new Map<string, Frontend>();
  for (const service of input.services) {
    if (!isProxied(service)) continue;
    const slices =
      slicesByService.get(`${service.metadata.namespace}/${service.metadata.name}`) ?? [];
    for (const port of service.spec.ports ?? []) {
      for (const frontend of frontendsOf(service, port, slices, input)) {
        const id = frontendId(frontend);
        // Two Services may claim one external IP and port; the first by name keeps it, on every node alike.
        if (!table.has(id)) table.set(id, frontend);
      }
    }
  }
  return [...table].sort(([a], [b]) => compare(a, b)).map(([, frontend]) => frontend);
}

function isProxied(service: Service): boolean {
  const { clusterIP, type } = service.spec;
  if (
    type === "ExternalName" ||
    clusterIP === undefined ||
    clusterIP === "None" ||
    clusterIP === ""
  )
    return false;
  return service.metadata.labels?.[otherProxyLabel] === undefined;
}

function groupSlices(
  slices: readonly EndpointSlice[],
): ReadonlyMap<string, readonly EndpointSlice[]> {
  const groups = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const service = slice.metadata.labels?.["kubernetes.io/service-name"];
    if (service === undefined || slice.addressType !== "IPv4") continue;
    const key = `${slice.metadata.namespace}/${service}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [slice]);
    else group.push(slice);
  }
  return groups;
}

function frontendsOf(
  service: Service,
  port: ServicePort,
  slices: readonly EndpointSlice[],
  input: ServiceTableInput,
): readonly Frontend[] {
  const { spec, metadata } = service;
  const localInside = spec.internalTrafficPolicy === "Local";
  const localOutside = spec.externalTrafficPolicy === "Local";
  const anywhere = backendsFor(port, slices, undefined);
  const here = localInside || localOutside ? backendsFor(port, slices, input.nodeName) : [];
  const common = {
    protocol: protocols[port.protocol ?? "TCP"] ?? "tcp",
    port: port.port,
    service: `${metadata.namespace}/${metadata.name}${port.name === undefined ? "" : `:${port.name}`}`,
    affinitySeconds:
      spec.sessionAffinity === "ClientIP"
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
        : 0,
  };
  const frontends: Frontend[] = [];
  for (const address of spec.clusterIPs ?? [spec.clusterIP ?? ""]) {
    frontends.push({
      ...common,
      kind: "address",
      address,
      backends: localInside ? here : anywhere,
      masquerade: false,
      whenEmpty: localInside && anywhere.length > 0 ? "drop" : "reject",
    });
  }
  const outside = {
    backends: localOutside ? here : anywhere,
    masquerade: !localOutside,
    whenEmpty: localOutside && anywhere.length > 0 ? ("drop" as const) : ("reject" as const),
  };
  for (const address of outsideAddresses(service)) {
    frontends.push({ ...common, ...outside, kind: "address", address });
  }
  if (port.nodePort !== undefined && port.nodePort !== 0) {
    frontends.push({ ...common, ...outside, kind: "node-port", address: "", port: port.nodePort });
  }
  return frontends.filter(
    ({ address }) => address === "" || (isIpv4(address) && !input.answeredHere.has(address)),
  );
}

function outsideAddresses(service: Service): readonly string[] {
  const balancers = service.status.loadBalancer.ingress ?? [];
  const virtual = balancers.filter(({ ipMode }) => ipMode === undefined || ipMode === "VIP");
  return [
    ...(service.spec.externalIPs ?? []),
    ...virtual.flatMap(({ ip }) => (ip === undefined ? [] : [ip])),
  ];
}

function isIpv4(address: string): boolean {
  return address.includes(".");
}

/** The back ends of one service port; on `onNode` alone where it is given. */
function backendsFor(
  port: ServicePort,
  slices: readonly EndpointSlice[],
  onNode: string | undefined,
): readonly Backend[] {
  const ready = new Map<string, Backend>();
  const leaving = new Map<string, Backend>();
  for (const slice of slices) {
    const target = slice.ports?.find(({ name }) => (name ?? "") === (port.name ?? ""));
    if (target?.port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      if (onNode !== undefined && endpoint.nodeName !== onNode) continue;
      const state = stateOf(endpoint);
      const [address] = endpoint.addresses;
      if (state === "down" || address === undefined) continue;
      const backend = { address, port: target.port };
      (state === "ready" ? ready : leaving).set(`${address}:${target.port}`, backend);
    }
  }
  const chosen = ready.size > 0 ? ready : leaving;
  return [...chosen].sort(([a], [b]) => compare(a, b)).map(([, backend]) => backend);
}

/** An absent condition counts as true for ready and serving (API doc of EndpointConditions). */
function stateOf({ conditions = {} }: Endpoint): "ready" | "leaving" | "down" {
  if (conditions.ready ?? true) return "ready";
  return (conditions.serving ?? false) && conditions.terminating === true ? "leaving" : "down";
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
