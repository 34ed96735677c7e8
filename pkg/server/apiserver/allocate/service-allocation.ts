import { ApiError } from "../../../api/api-error.ts";
import { invalid } from "../../../api/field-error.ts";
import type { Service, ServiceSpec } from "../../../api/generated/core-v1.generated.ts";
import type { IPAddress } from "../../../api/generated/networking-v1.generated.ts";
import { containsIp, parseCidr, parseIp } from "../../../api/ip-address.ts";
import { type Draft, objectKey } from "../../../api/object.ts";
import { equalJson } from "../../../api/patch/json-value.ts";
import type { FieldError } from "../../../api/resource.ts";
import { ipAddressResource } from "../../../api/resources/ipaddress.ts";
import { serviceResource } from "../../../api/resources/service.ts";
import { isAllocatedAddress } from "../../../api/shared/allocated-address.ts";
import {
  needsClusterIP,
  needsHealthCheck,
  needsNodePort,
} from "../../../api/shared/service-type.ts";
import { keepAllocated, normalizeClusterIPs } from "../../../api/shared/service-update.ts";
import { familyOfAddress, validateClusterIPs } from "../../../api/shared/validate-cluster-ips.ts";
import type { Clock } from "../../../base/clock.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission/admission.ts";
import { isAbout } from "../admission/refusal.ts";
import type { ObjectFeed } from "../authz/object-feed.ts";
import { type AddressRange, addressAt, indexOfAddress } from "./address-range.ts";
import { NumberPool, staticPartOf } from "./number-pool.ts";

export interface ServiceAllocationOptions {
  readonly feed: ObjectFeed;
  readonly clock: Clock;
  /** `--service-cidr` */
  readonly addresses: AddressRange;
  /** `--service-node-port-range`, both ends included. */
  readonly nodePorts: { readonly first: number; readonly last: number };
}

type Spec = Draft<NonNullable<Service["spec"]>>;
type Ports = NonNullable<Spec["ports"]>;

const headless = "None";

/**
 * Gives each Service its cluster IP and its node ports, and keeps those it has. The stored Services are the only
 * record of what is taken: a deleted one frees its numbers, and a start needs no repair.
 */
export function createServiceAllocation(options: ServiceAllocationOptions): AdmissionPlugin {
  const { addresses, nodePorts, clock } = options;
  const portCount = nodePorts.last - nodePorts.first + 1;
  const ips = new NumberPool({
    size: addresses.size,
    staticSize: staticPartOf(addresses.size, 256),
    clock,
  });
  // One Service may use the same port for TCP and for UDP; no two Services share a number.
  const ports = new NumberPool({
    size: portCount,
    staticSize: staticPartOf(portCount, 128),
    clock,
  });
  options.feed.subscribe(serviceResource, (current, previous) => {
    const metadata = (current ?? previous)?.metadata;
    if (metadata === undefined) return;
    const holder = objectKey(metadata.namespace, metadata.name);
    const spec = current?.spec;
    ips.set(holder, heldAddresses(spec, addresses));
    ports.set(holder, heldPorts(spec, nodePorts.first, portCount));
  });
  options.feed.subscribe(ipAddressResource, (current, previous) => {
    const index = indexOfAddress(addresses, (current ?? previous)?.metadata.name ?? "");
    if (index === undefined) return;
    // What only shows that a Service has the address must not keep it when the Service is gone.
    const isOwn = current !== undefined && !isAllocatedAddress(current);
    ips.reserve(index, isOwn ? parentOf(current) : undefined);
  });
  const allocator = new ServiceAllocator(options, ips, ports);
  return {
    name: "ServiceAllocation",
    admit(request) {
      if (isAbout(request, "ipaddresses.networking.k8s.io")) {
        if (request.operation === "CREATE") claimAddress(request, addresses, ips);
        return;
      }
      if (!isAbout(request, "services")) return;
      if (request.operation === "CREATE" || request.operation === "UPDATE") {
        allocator.allocate(request);
      }
    },
  };
}

/** Who has an address by an IPAddress: named as the Services are, where it is one. */
function parentOf({ spec }: Pick<IPAddress, "spec">): string {
  // It is required, yet validation comes later.
  const parent: IPAddress["spec"]["parentRef"] | undefined = spec.parentRef;
  const { group = "", name = "", namespace = "", resource = "" } = parent ?? {};
  const key = objectKey(namespace, name);
  return group === "" && resource === "services" ? key : `${resource}.${group}/${key}`;
}

/** An address that a Service has, or is about to get, is nobody else's. */
function claimAddress(request: AdmissionRequest, addresses: AddressRange, ips: NumberPool): void {
  const address = request.object as IPAddress;
  const { name } = address.metadata;
  const index = indexOfAddress(addresses, name);
  if (index === undefined) return;
  const holder = parentOf(address);
  const isFree = request.dryRun ? ips.isFreeFor(index, holder) : ips.promise(index, holder);
  if (!isFree) throw ApiError.alreadyExists(ipAddressResource, name);
}

function heldAddresses(spec: Service["spec"] | undefined, range: AddressRange): readonly number[] {
  return (spec?.clusterIPs ?? []).flatMap((address) => indexOfAddress(range, address) ?? []);
}

function heldPorts(
  spec: Service["spec"] | undefined,
  first: number,
  count: number,
): readonly number[] {
  const numbers = [
    ...(spec?.ports ?? []).map((port) => port.nodePort ?? 0),
    spec?.healthCheckNodePort ?? 0,
  ];
  const indexes = numbers.map((number) => number - first);
  return [...new Set(indexes.filter((index) => index >= 0 && index < count))];
}

/** The numbers that one write may take, and what it took so far. A dry run takes nothing. */
class Claims {
  readonly #pool: NumberPool;
  readonly #holder: string;
  readonly #dryRun: boolean;
  readonly #taken = new Set<number>();

  constructor(pool: NumberPool, holder: string, dryRun: boolean) {
    this.#pool = pool;
    this.#holder = holder;
    this.#dryRun = dryRun;
  }

  /** False where another has the number, or this write has it already. */
  take(number: number): boolean {
    if (this.#taken.has(number)) return false;
    const isTaken = this.#dryRun
      ? this.#pool.isFreeFor(number, this.#holder)
      : this.#pool.promise(number, this.#holder);
    if (isTaken) this.#taken.add(number);
    return isTaken;
  }

  /** Some free number; undefined where there is none. */
  takeAny(refuses: (number: number) => boolean): number | undefined {
    const number = this.#pool.pick(
      this.#holder,
      (candidate) => this.#taken.has(candidate) || refuses(candidate),
    );
    return number !== undefined && this.take(number) ? number : undefined;
  }
}

class ServiceAllocator {
  readonly #options: ServiceAllocationOptions;
  readonly #ips: NumberPool;
  readonly #ports: NumberPool;

  constructor(options: ServiceAllocationOptions, ips: NumberPool, ports: NumberPool) {
    this.#options = options;
    this.#ips = ips;
    this.#ports = ports;
  }

  allocate(request: AdmissionRequest): void {
    const service = request.object as Draft<Service>;
    const previous = (request.previous as Service | undefined)?.spec;
    const { spec } = service;
    if (spec === undefined) return;
    const name = request.name || (service.metadata.name ?? "");
    // A name that is still to be generated holds nothing that a second try could claim.
    const holder =
      name === "" ? `${request.namespace}/${newHolder()}` : `${request.namespace}/${name}`;
    // What an update keeps is settled before anything is given; the store does this once more, to no effect.
    if (previous !== undefined) keepAllocated(spec, previous);
    normalizeClusterIPs(spec, previous);
    const refuse = (errors: readonly FieldError[]) => {
      if (errors.length > 0) throw ApiError.invalid(serviceResource, name, errors);
    };
    refuse(initializeFamilies(spec, previous));
    const ips = new Claims(this.#ips, holder, request.dryRun);
    if (previous === undefined || !needsClusterIP(previous)) {
      refuse(this.#allocateAddress(spec, ips));
    }
    const ports = new Claims(this.#ports, holder, request.dryRun);
    if (needsNodePort(spec)) {
      refuse(
        previous === undefined
          ? this.#allocatePorts(spec, ports)
          : this.#allocateChangedPorts(spec, previous, ports),
      );
    }
    if (needsHealthCheck(spec) && (previous === undefined || !needsHealthCheck(previous))) {
      refuse(this.#allocateHealthCheckPort(spec, ports));
    }
  }

  #allocateAddress(spec: Spec, claims: Claims): readonly FieldError[] {
    const { addresses } = this.#options;
    const [asked = ""] = spec.clusterIPs ?? [];
    if (!needsClusterIP(spec) || asked === headless) return [];
    if (asked === "") {
      const index = claims.takeAny(() => false);
      if (index === undefined) throw exhausted("serviceIP");
      spec.clusterIP = addressAt(addresses, index);
      spec.clusterIPs = [spec.clusterIP];
      return [];
    }
    const refusal = (why: string) => [
      invalid("spec.clusterIPs", spec.clusterIPs, `failed to allocate IP ${asked}: ${why}`),
    ];
    const index = indexOfAddress(addresses, asked);
    if (index !== undefined) {
      return claims.take(index) ? [] : refusal("provided IP is already allocated");
    }
    // The network's own address, and the broadcast address, lie in the range, too.
    const range = parseCidr(addresses.cidr);
    const ip = parseIp(asked);
    const isWithin =
      range !== undefined && ip !== undefined && containsIp(range, ip.family, ip.value);
    return refusal(
      isWithin
        ? `the provided IP (${asked}) is not in the valid range. The range of valid IPs is ${addresses.cidr}`
        : "the provided network does not match the current range",
    );
  }

  /** Of a new Service: ports with one number, of several protocols, share a node port. */
  #allocatePorts(spec: Spec, claims: Claims): readonly FieldError[] {
    const ports = spec.ports ?? [];
    const known = new Map<number, number>();
    for (const [position, port] of ports.entries()) {
      const asked = port.nodePort ?? 0;
      if (asked === 0 && !allocatesNodePorts(spec)) continue;
      const shared = known.get(port.port);
      if (shared !== undefined) {
        if (asked === 0) port.nodePort = shared;
        else if (asked !== shared) {
          const errors = this.#takePort(claims, asked, nodePortPath(position));
          if (errors.length > 0) return errors;
        }
        continue;
      }
      const wanted =
        asked || ports.find((other) => other.port === port.port && other.nodePort)?.nodePort;
      if (wanted === undefined || wanted === 0) port.nodePort = this.#anyPort(ports, claims);
      else {
        const errors = this.#takePort(claims, wanted, nodePortPath(position));
        if (errors.length > 0) return errors;
        port.nodePort = wanted;
      }
      known.set(port.port, port.nodePort);
    }
    return [];
  }

  /** Of a Service that is there: what it has it keeps, what is new it asks for. */
  #allocateChangedPorts(spec: Spec, previous: ServiceSpec, claims: Claims): readonly FieldError[] {
    const ports = spec.ports ?? [];
    const kept = new Set((previous.ports ?? []).map(({ nodePort }) => nodePort));
    for (const [position, port] of ports.entries()) {
      const asked = port.nodePort ?? 0;
      if (asked === 0) {
        if (allocatesNodePorts(spec)) port.nodePort = this.#anyPort(ports, claims);
      } else if (!kept.has(asked)) {
        const errors = this.#takePort(claims, asked, nodePortPath(position));
        if (errors.length > 0) return errors;
        kept.add(asked);
      }
    }
    return [];
  }

  #allocateHealthCheckPort(spec: Spec, claims: Claims): readonly FieldError[] {
    const asked = spec.healthCheckNodePort ?? 0;
    if (asked === 0) {
      spec.healthCheckNodePort = this.#anyPort(spec.ports ?? [], claims);
      return [];
    }
    const intro = `failed to allocate requested HealthCheck NodePort ${asked}: `;
    return this.#takePort(claims, asked, "spec.healthCheckNodePort", intro);
  }

  #takePort(claims: Claims, port: number, path: string, intro = ""): readonly FieldError[] {
    const { first, last } = this.#options.nodePorts;
    if (port < first || port > last) {
      const why = `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
      return [invalid(path, port, intro + why)];
    }
    if (claims.take(port - first)) return [];
    return [invalid(path, port, `${intro}provided port is already allocated`)];
  }

  #anyPort(ports: Ports, claims: Claims): number {
    const { first } = this.#options.nodePorts;
    const asked = new Set(ports.map(({ nodePort = 0 }) => nodePort - first));
    const index = claims.takeAny((candidate) => asked.has(candidate));
    if (index === undefined) throw exhausted("nodePort");
    return first + index;
  }
}

function nodePortPath(position: number): string {
  return `spec.ports[${position}].nodePort`;
}

function exhausted(what: string): ApiError {
  const message = `Internal error occurred: failed to allocate a ${what}: range is full`;
  return new ApiError("InternalError", message);
}

let holdersMade = 0;
function newHolder(): string {
  holdersMade += 1;
  return `#${holdersMade}`;
}

/** A load balancer that reaches pods by itself needs none; those that it asks for it gets. */
function allocatesNodePorts(spec: Spec): boolean {
  if (spec.type === "NodePort") return true;
  return spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false;
}

/** The families of a Service in a cluster that has IPv4 alone. */
function initializeFamilies(spec: Spec, previous: ServiceSpec | undefined): readonly FieldError[] {
  if (!needsClusterIP(spec) || prefersAsBefore(spec, previous)) return [];
  const isSelectorless = Object.keys(spec.selector ?? {}).length === 0;
  const isUnselected = spec.clusterIP === headless && isSelectorless;
  spec.ipFamilyPolicy ??=
    previous?.ipFamilyPolicy ?? (isUnselected ? "RequireDualStack" : "SingleStack");
  const wrong = validateClusterIPs(spec, previous);
  if (wrong.length > 0) return wrong;
  const errors = [
    ...(previous === undefined ? [] : settleChange(spec, previous)),
    ...refuseSecond(spec),
    ...inferFamilies(spec),
  ];
  if (errors.length > 0) return errors;
  const policy: string = spec.ipFamilyPolicy;
  if (isUnselected) {
    // Whoever makes the endpoints of such a Service may make them of both families.
    spec.ipFamilies ??= ["IPv4"];
    if (spec.ipFamilies.length === 0) spec.ipFamilies.push("IPv4");
    if (spec.ipFamilies.length < 2 && policy !== "SingleStack") {
      spec.ipFamilies.push(spec.ipFamilies[0] === "IPv4" ? "IPv6" : "IPv4");
    }
    return [];
  }
  if (policy === "RequireDualStack") {
    const why = "this cluster is not configured for dual-stack services";
    errors.push(invalid("spec.ipFamilyPolicy", policy, why));
  }
  (spec.ipFamilies ?? []).forEach((family, index) => {
    if (family === "IPv4") return;
    errors.push(invalid(`spec.ipFamilies[${index}]`, family, "not configured on this cluster"));
  });
  if (errors.length === 0 && (spec.ipFamilies ?? []).length === 0) spec.ipFamilies = ["IPv4"];
  return errors;
}

/** Such a Service is neither upgraded nor downgraded by itself. */
function prefersAsBefore(spec: Spec, previous: ServiceSpec | undefined): boolean {
  const prefers = "PreferDualStack";
  return (
    previous !== undefined &&
    previous.type === spec.type &&
    spec.ipFamilyPolicy === prefers &&
    (previous.ipFamilyPolicy ?? prefers) === prefers &&
    equalJson(spec.clusterIPs ?? [], previous.clusterIPs ?? []) &&
    equalJson(spec.ipFamilies ?? [], previous.ipFamilies ?? [])
  );
}

/** Saying SingleStack is enough to give up the second family; anything else has to say so. */
function settleChange(spec: Spec, previous: ServiceSpec): readonly FieldError[] {
  const fields = ["clusterIPs", "ipFamilies"] as const;
  if (spec.ipFamilyPolicy === "SingleStack") {
    for (const field of fields) {
      const values = spec[field] ?? [];
      if (values.length > 1 && equalJson(values, previous[field])) values.splice(1);
    }
    return [];
  }
  return fields.flatMap((field) => {
    const [now, before] = [spec[field]?.length ?? 0, previous[field]?.length ?? 0];
    if (now === 0 || now >= before) return [];
    const what = field === "clusterIPs" ? "cluster IP" : "IP family";
    const why = `must be 'SingleStack' to release the secondary ${what}`;
    return [invalid("spec.ipFamilyPolicy", spec.ipFamilyPolicy, why)];
  });
}

function refuseSecond({ clusterIPs, ipFamilies, ipFamilyPolicy }: Spec): readonly FieldError[] {
  if (ipFamilyPolicy !== "SingleStack") return [];
  const refusal = (what: string) =>
    invalid(
      "spec.ipFamilyPolicy",
      ipFamilyPolicy,
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`,
    );
  return [
    ...(clusterIPs?.length === 2 ? [refusal("cluster IPs")] : []),
    ...(ipFamilies?.length === 2 ? [refusal("IP families")] : []),
  ];
}

/** An address says its family, where the client did not. */
function inferFamilies(spec: Spec): readonly FieldError[] {
  const errors: FieldError[] = [];
  const families = spec.ipFamilies ?? [];
  (spec.clusterIPs ?? []).forEach((address, index) => {
    if (address === headless || index < families.length) return;
    const family = familyOfAddress(address);
    if (family === "IPv4") families.push(family);
    else {
      const why = `${family} is not configured on this cluster`;
      errors.push(invalid(`spec.clusterIPs[${index}]`, spec.clusterIPs, why));
    }
  });
  if (families.length > 0) spec.ipFamilies = families;
  return errors;
}
