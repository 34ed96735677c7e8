import type {
  EndpointAddress,
  EndpointPort,
  EndpointSubset,
  Endpoints,
  Pod,
  Service,
} from "../../api/generated/core-v1.generated.ts";
import { matchesMap } from "../../api/labels.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { endpointsResource } from "../../api/resources/endpoints.ts";
import { isPodReady, isPodTerminal } from "../../api/shared/pod-status.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchSelf } from "../../client/watches.ts";
import { hasSelector, watchPodsOfServices } from "./service-endpoints/services-of-pod.ts";
import { hostnameIn, isHeadless, targetPortOf } from "./service-endpoints/target-port.ts";

const managedByLabel = "endpoints.kubernetes.io/managed-by";
const managedBy = "endpoint-controller";
const headlessLabel = "service.kubernetes.io/headless";
const overCapacityAnnotation = "endpoints.kubernetes.io/over-capacity";
const addressesMax = 1_000;

export interface EndpointsPlan {
  readonly labels: Readonly<Record<string, string>>;
  readonly subsets: readonly EndpointSubset[];
  readonly isTruncated: boolean;
}

/**
 * The Endpoints of a service: its pods' addresses, grouped by the ports they answer on.
 *
 * @package
 */
export function planEndpoints(service: Service, pods: readonly Pod[]): EndpointsPlan {
  const always = service.spec.publishNotReadyAddresses === true;
  const groups = new Map<string, Required<EndpointSubsetDraft>>();
  const sorted = pods.toSorted((a, b) => (addressIn(a, service) < addressIn(b, service) ? -1 : 1));
  for (const pod of sorted) {
    if (isPodTerminal(pod) || addressIn(pod, service) === "") continue;
    if (pod.metadata.deletionTimestamp !== undefined && !always) continue;
    const ports = portsOf(service, pod);
    if (ports.length === 0 && (service.spec.ports ?? []).length > 0) continue;
    const id = JSON.stringify(ports);
    const group = groups.get(id) ?? { ports, addresses: [], notReadyAddresses: [] };
    groups.set(id, group);
    const ready = always || isPodReady(pod);
    (ready ? group.addresses : group.notReadyAddresses).push(addressOf(service, pod));
  }
  const all = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  const count = all.reduce(
    (sum, group) => sum + group.addresses.length + group.notReadyAddresses.length,
    0,
  );
  return {
    labels: labelsFor(service),
    subsets: (count > addressesMax ? truncate(all) : all).map(withoutEmpty),
    isTruncated: count > addressesMax,
  };
}

interface EndpointSubsetDraft {
  ports: readonly EndpointPort[];
  addresses: EndpointAddress[];
  notReadyAddresses: EndpointAddress[];
}

/** Those that serve are the last to be left out. */
function truncate(groups: readonly EndpointSubsetDraft[]): readonly EndpointSubsetDraft[] {
  let left = addressesMax;
  const take = (addresses: EndpointAddress[]) => {
    const taken = addresses.slice(0, left);
    left -= taken.length;
    return taken;
  };
  const ready = groups.map(({ addresses }) => take(addresses));
  const notReady = groups.map(({ notReadyAddresses }) => take(notReadyAddresses));
  return groups
    .map(({ ports }, index) => ({
      ports,
      addresses: ready[index] ?? [],
      notReadyAddresses: notReady[index] ?? [],
    }))
    .filter(({ addresses, notReadyAddresses }) => addresses.length + notReadyAddresses.length > 0);
}

function withoutEmpty(draft: EndpointSubsetDraft): EndpointSubset {
  const { ports, addresses, notReadyAddresses } = draft;
  return {
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
    ...(ports.length === 0 ? {} : { ports }),
  };
}

/** Endpoints know one address family: the service's first. */
function addressIn(pod: Pod, service: Service): string {
  const isIPv6 = service.spec.ipFamilies?.[0] === "IPv6";
  return pod.status.podIPs?.find(({ ip }) => ip?.includes(":") === isIPv6)?.ip ?? "";
}

function addressOf(service: Service, pod: Pod): EndpointAddress {
  const { name, namespace, uid } = pod.metadata;
  const { nodeName } = pod.spec;
  const hostname = hostnameIn(service, pod);
  return {
    ip: addressIn(pod, service),
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: { kind: "Pod", ...(namespace === undefined ? {} : { namespace }), name, uid },
  };
}

function portsOf(service: Service, pod: Pod): readonly EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((servicePort) => {
    const port = targetPortOf(pod, servicePort);
    if (port === undefined) return [];
    const { name, protocol, appProtocol } = servicePort;
    return [
      {
        ...(name === undefined || name === "" ? {} : { name }),
        port,
        protocol,
        ...(appProtocol === undefined ? {} : { appProtocol }),
      },
    ];
  });
}

function labelsFor(service: Service): Readonly<Record<string, string>> {
  const { [headlessLabel]: _, ...own } = service.metadata.labels ?? {};
  const headless = isHeadless(service) ? { [headlessLabel]: "" } : {};
  return { ...own, ...headless, [managedByLabel]: managedBy };
}

/** Keeps, for clients that do not know EndpointSlices, an Endpoints object for each Service that has a selector. */
export function endpointsController(deps: {
  readonly client: Client;
  readonly services: Informer<Service>;
  readonly pods: Informer<Pod>;
  readonly endpoints: Informer<Endpoints>;
}): Controller {
  const { client, services, pods, endpoints } = deps;
  return {
    name: "endpoints",
    watches: [watchSelf(services), watchPodsOfServices(pods, services), watchSelf(endpoints)],
    async reconcile(key, signal) {
      const service = services.get(key);
      const current = endpoints.get(key);
      if (service === undefined) {
        // Endpoints have no owner that the garbage collector could see; they end with the service of their name.
        if (current?.metadata.labels?.[managedByLabel] !== managedBy) return undefined;
        const { uid } = current.metadata;
        await client.delete(endpointsResource, key, signal, { preconditions: { uid } });
        return undefined;
      }
      if (!hasSelector(service) || service.metadata.deletionTimestamp !== undefined)
        return undefined;
      const selected = pods
        .list(service.metadata.namespace)
        .filter(({ metadata }) => matchesMap(service.spec.selector ?? {}, metadata.labels));
      const { labels, subsets, isTruncated } = planEndpoints(service, selected);
      const { [overCapacityAnnotation]: capacity, ...kept } = current?.metadata.annotations ?? {};
      const annotations = isTruncated ? { ...kept, [overCapacityAnnotation]: "truncated" } : kept;
      if (current === undefined) {
        const { name, namespace } = service.metadata;
        const metadata = {
          name,
          ...(namespace === undefined ? {} : { namespace }),
          labels,
          annotations,
        };
        const created = { apiVersion: "v1", kind: "Endpoints", metadata, subsets } as const;
        await client.create(endpointsResource, created, signal);
        return undefined;
      }
      const same =
        equalJson(current.subsets ?? [], subsets) &&
        equalJson(current.metadata.labels ?? {}, labels) &&
        (capacity === "truncated") === isTruncated;
      if (same) return undefined;
      const metadata = { ...current.metadata, labels, annotations };
      await client.update(endpointsResource, { ...current, metadata, subsets }, signal);
      return undefined;
    },
  };
}
