import type { Service as KubernetesService } from "../../api/generated/core-v1.generated.ts";
import type { IPAddress, ServiceCIDR } from "../../api/generated/networking-v1.generated.ts";
import { ipFamilyOf } from "../../api/ip-address.ts";
import type { NewObject } from "../../api/object.ts";
import { ipAddressResource } from "../../api/resources/ipaddress.ts";
import { serviceResource } from "../../api/resources/service.ts";
import { serviceCIDRResource } from "../../api/resources/servicecidr.ts";
import {
  ipAllocatorName,
  ipFamilyLabel,
  isAllocatedAddress,
  managedByLabel,
} from "../../api/shared/allocated-address.ts";
import { formatTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import type { Client } from "../../client/client.ts";
import type { ObjectFeed } from "../apiserver/authz/object-feed.ts";
import { createKeeper } from "./keeper.ts";

export interface ServiceAddressDeps {
  /** Of a user in system:masters. */
  readonly client: Client;
  readonly feed: ObjectFeed;
  /** `--service-cidr` */
  readonly serviceCidr: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** So many addresses are written at a time: their commits are shared. */
const writesAtOnce = 64;

/**
 * Shows what the allocation of Service addresses did: the ServiceCIDR `kubernetes`, and an IPAddress for each address
 * that a Service has. The Services remain the record; whatever is missing or left over here is put right.
 */
export function createServiceAddressKeeper(deps: ServiceAddressDeps): Service {
  const { clock, feed, log } = deps;
  const keeper = new AddressKeeper(deps);
  return createKeeper({
    name: "service-addresses",
    what: "the addresses of Services",
    clock,
    log,
    subscribe: (wake) => [
      feed.subscribe(serviceResource, (current, previous) => {
        keeper.serviceChanged(current, previous);
        wake();
      }),
      feed.subscribe(ipAddressResource, (current, previous) => {
        keeper.addressChanged(current, previous);
        wake();
      }),
      feed.subscribe(serviceCIDRResource, (current, previous) => {
        if ((current ?? previous)?.metadata.name !== defaultName) return;
        keeper.block = current;
        wake();
      }),
    ],
    keep: (signal) => keeper.keep(signal),
  });
}

const defaultName = "kubernetes";

class AddressKeeper {
  readonly #deps: ServiceAddressDeps;
  readonly #services = new Map<string, KubernetesService>();
  readonly #addresses = new Map<string, IPAddress>();
  readonly #changed = new Set<string>();
  block: ServiceCIDR | undefined;

  constructor(deps: ServiceAddressDeps) {
    this.#deps = deps;
  }

  serviceChanged(
    current: KubernetesService | undefined,
    previous: KubernetesService | undefined,
  ): void {
    const [now, before] = [addressesOf(current), addressesOf(previous)];
    for (const address of before) {
      if (now.includes(address)) continue;
      if (isSame(this.#services.get(address), previous)) this.#services.delete(address);
      this.#changed.add(address);
    }
    for (const address of now) {
      if (current !== undefined) this.#services.set(address, current);
      if (!before.includes(address)) this.#changed.add(address);
    }
  }

  addressChanged(current: IPAddress | undefined, previous: IPAddress | undefined): void {
    const name = (current ?? previous)?.metadata.name;
    if (name === undefined) return;
    if (current === undefined) this.#addresses.delete(name);
    else this.#addresses.set(name, current);
    this.#changed.add(name);
  }

  async keep(signal: AbortSignal): Promise<void> {
    await this.#keepBlock(signal);
    while (this.#changed.size > 0) {
      const some = [...this.#changed].slice(0, writesAtOnce);
      for (const address of some) this.#changed.delete(address);
      try {
        await Promise.all(some.map((address) => this.#keepAddress(address, signal)));
      } catch (caught) {
        for (const address of some) this.#changed.add(address);
        throw caught;
      }
    }
  }

  async #keepAddress(name: string, signal: AbortSignal): Promise<void> {
    const { client } = this.#deps;
    const service = this.#services.get(name);
    const current = this.#addresses.get(name);
    if (current === undefined) {
      if (service !== undefined) {
        await client.create(ipAddressResource, newAddress(name, service), signal);
      }
      return;
    }
    const { parentRef } = current.spec;
    const isRight =
      service !== undefined &&
      parentRef.namespace === service.metadata.namespace &&
      parentRef.name === service.metadata.name;
    // What others made, for Gateways and the like, is theirs.
    if (isRight || !isAllocatedAddress(current)) return;
    const preconditions = { uid: current.metadata.uid };
    await client.delete(ipAddressResource, name, signal, { preconditions });
  }

  /** Someone may have started the cluster with another range: the object says so by not being ready. */
  async #keepBlock(signal: AbortSignal): Promise<void> {
    const { client, clock, serviceCidr } = this.#deps;
    const current =
      this.block ??
      (await client.create(
        serviceCIDRResource,
        {
          apiVersion: "networking.k8s.io/v1",
          kind: "ServiceCIDR",
          metadata: { name: defaultName },
          spec: { cidrs: [serviceCidr] },
        } as NewObject<ServiceCIDR>,
        signal,
      ));
    const isOurs = current.spec.cidrs?.length === 1 && current.spec.cidrs[0] === serviceCidr;
    const told = current.status.conditions?.find(({ type }) => type === "Ready");
    if (!isOurs || (told !== undefined && told.status !== "Unknown")) return;
    const condition = {
      type: "Ready",
      status: "True",
      lastTransitionTime: formatTime(clock.now()),
      reason: "",
      message: "Kubernetes default Service CIDR is ready",
    };
    const object = {
      apiVersion: current.apiVersion,
      kind: current.kind,
      metadata: { name: defaultName },
      status: { conditions: [condition] },
    };
    const patch = { type: "apply", object, force: true } as const;
    await client.patch(serviceCIDRResource, defaultName, patch, signal, {
      subresource: "status",
    });
  }
}

function addressesOf(service: KubernetesService | undefined): readonly string[] {
  return (service?.spec.clusterIPs ?? []).filter((address) => ipFamilyOf(address) !== undefined);
}

function isSame(a: KubernetesService | undefined, b: KubernetesService | undefined): boolean {
  return a?.metadata.namespace === b?.metadata.namespace && a?.metadata.name === b?.metadata.name;
}

function newAddress(name: string, { metadata }: KubernetesService): NewObject<IPAddress> {
  const family = ipFamilyOf(name) ?? "IPv4";
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "IPAddress",
    metadata: { name, labels: { [ipFamilyLabel]: family, [managedByLabel]: ipAllocatorName } },
    spec: {
      parentRef: {
        group: "",
        resource: "services",
        namespace: metadata.namespace ?? "",
        name: metadata.name,
      },
    },
  };
}
