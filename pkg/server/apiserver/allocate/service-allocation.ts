import { ApiError } from "../../../api/api-error.ts";
import { invalid, required } from "../../../api/field-error.ts";
import type { Service } from "../../../api/generated/core-v1.generated.ts";
import type { IPAddress } from "../../../api/generated/networking-v1.generated.ts";
import { type Draft, objectKey } from "../../../api/object.ts";
import type { FieldError } from "../../../api/resource.ts";
import { ipAddressResource } from "../../../api/resources/ipaddress.ts";
import { serviceResource } from "../../../api/resources/service.ts";
import { isAllocatedAddress } from "../../../api/shared/allocated-address.ts";
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

/** Takes a number for a holder; false where another has it. */
type Claim = (number: number, holder: string) => boolean;

interface Claims {
  readonly address: Claim;
  readonly port: Claim;
}

function promising(ips: NumberPool, ports: NumberPool): Claims {
  return {
    address: (number, holder) => ips.promise(number, holder),
    port: (number, holder) => ports.promise(number, holder),
  };
}

/** A dry run takes nothing. */
function lookOnly(ips: NumberPool, ports: NumberPool): Claims {
  return {
    address: (number, holder) => ips.isFreeFor(number, holder),
    port: (number, holder) => ports.isFreeFor(number, holder),
  };
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
    const previous = request.previous as Service | undefined;
    const { spec } = service;
    if (spec === undefined) return;
    const name = request.name || (service.metadata.name ?? "");
    // A name that is still to be generated holds nothing that a second try could claim.
    const holder =
      name === "" ? `${request.namespace}/${newHolder()}` : `${request.namespace}/${name}`;
    const claims = request.dryRun
      ? lookOnly(this.#ips, this.#ports)
      : promising(this.#ips, this.#ports);
    // What an update keeps is settled before anything is given; the store calls this once more, to no effect.
    if (previous !== undefined) serviceResource.prepareUpdate?.(service, previous);
    else if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
    const errors: FieldError[] = [];
    if (spec.type === "ExternalName") {
      delete spec.ipFamilies;
      delete spec.ipFamilyPolicy;
    } else {
      errors.push(...initializeFamilies(spec));
      if (errors.length === 0) errors.push(...this.#allocateAddress(spec, holder, claims.address));
    }
    if (errors.length === 0) errors.push(...this.#allocatePorts(spec, holder, claims.port));
    if (errors.length > 0) throw ApiError.invalid(serviceResource, name, errors);
    this.#allocateHealthCheckPort(spec, holder, claims.port);
  }

  #allocateAddress(spec: Spec, holder: string, claim: Claim): readonly FieldError[] {
    const { addresses } = this.#options;
    const [asked = ""] = spec.clusterIPs ?? [];
    if (asked === headless) return [];
    if (asked === "") {
      const index = this.#ips.pick(holder, () => false);
      if (index === undefined) {
        throw new ApiError(
          "InternalError",
          "Internal error occurred: failed to allocate a serviceIP: range is full",
        );
      }
      claim(index, holder);
      spec.clusterIP = addressAt(addresses, index);
      spec.clusterIPs = [spec.clusterIP];
      return [];
    }
    const index = indexOfAddress(addresses, asked);
    const refusal = (why: string) => [
      invalid("spec.clusterIPs", spec.clusterIPs, `failed to allocate IP ${asked}: ${why}`),
    ];
    if (index === undefined) {
      return refusal(
        `the provided IP (${asked}) is not in the valid range. The range of valid IPs is ${addresses.cidr}`,
      );
    }
    return claim(index, holder) ? [] : refusal("provided IP is already allocated");
  }

  #allocatePorts(spec: Spec, holder: string, claim: Claim): readonly FieldError[] {
    if (!needsNodePorts(spec)) return [];
    const { first, last } = this.#options.nodePorts;
    const errors: FieldError[] = [];
    const ports: Ports = spec.ports ?? [];
    ports.forEach((port, position) => {
      const number = port.nodePort ?? 0;
      if (number === 0) return;
      const path = `spec.ports[${position}].nodePort`;
      if (number < first || number > last) {
        const why = `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
        errors.push(invalid(path, number, why));
      } else if (!claim(number - first, holder)) {
        errors.push(invalid(path, number, "provided port is already allocated"));
      }
    });
    if (errors.length > 0) return errors;
    for (const port of ports) {
      if (port.nodePort !== undefined && port.nodePort !== 0) continue;
      const shared = ports.find(
        (other) =>
          other.port === port.port &&
          (other.nodePort ?? 0) !== 0 &&
          other.protocol !== port.protocol &&
          !ports.some(
            (used) => used.protocol === port.protocol && used.nodePort === other.nodePort,
          ),
      );
      port.nodePort = shared?.nodePort ?? this.#pickPort(ports, spec, holder, claim);
    }
    return [];
  }

  #pickPort(ports: Ports, spec: Spec, holder: string, claim: Claim): number {
    const { first } = this.#options.nodePorts;
    const used = new Set([
      ...ports.map((port) => (port.nodePort ?? 0) - first),
      (spec.healthCheckNodePort ?? 0) - first,
    ]);
    const index = this.#ports.pick(holder, (candidate) => used.has(candidate));
    if (index === undefined || !claim(index, holder)) {
      throw new ApiError(
        "InternalError",
        "Internal error occurred: failed to allocate a nodePort: range is full",
      );
    }
    return first + index;
  }

  #allocateHealthCheckPort(spec: Spec, holder: string, claim: Claim): void {
    if (!needsHealthCheckPort(spec)) return;
    const { first } = this.#options.nodePorts;
    const asked = spec.healthCheckNodePort ?? 0;
    if (asked === 0) {
      spec.healthCheckNodePort = this.#pickPort(spec.ports ?? [], spec, holder, claim);
      return;
    }
    const { last } = this.#options.nodePorts;
    const isInRange = asked >= first && asked <= last;
    if (isInRange && claim(asked - first, holder)) return;
    const why = isInRange
      ? "provided port is already allocated"
      : `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
    throw new ApiError(
      "InternalError",
      `Internal error occurred: failed to allocate requested HealthCheck NodePort ${asked}: ${why}`,
    );
  }
}

let holdersMade = 0;
function newHolder(): string {
  holdersMade += 1;
  return `#${holdersMade}`;
}

function needsNodePorts(spec: Spec): boolean {
  if (spec.type === "NodePort") return true;
  return spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false;
}

function needsHealthCheckPort(spec: Spec): boolean {
  return spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
}

/** The families of a cluster that has IPv4 alone. */
function initializeFamilies(spec: Spec): readonly FieldError[] {
  const notConfigured = "not configured on this cluster";
  const [first = "", second = ""] = spec.ipFamilies ?? [];
  const errors: FieldError[] = [];
  for (const [index, family] of [first, second].entries()) {
    if (family !== "IPv6") continue;
    errors.push(invalid(`spec.ipFamilies[${index}]`, family, notConfigured));
  }
  if (spec.ipFamilyPolicy === "RequireDualStack") {
    const why = "this cluster is not configured for dual-stack services";
    errors.push(invalid("spec.ipFamilyPolicy", spec.ipFamilyPolicy, why));
  }
  const addresses = spec.clusterIPs ?? [];
  if (spec.clusterIP && addresses[0] !== spec.clusterIP) {
    errors.push(invalid("spec.clusterIPs", addresses, "first value must match `clusterIP`"));
  }
  if (!spec.clusterIP && addresses.length > 0) {
    errors.push(required("spec.clusterIP", "must be set when `clusterIPs` is specified"));
  }
  if (errors.length > 0) return errors;
  spec.ipFamilies = ["IPv4"];
  spec.ipFamilyPolicy ??= "SingleStack";
  return [];
}
