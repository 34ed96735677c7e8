import type { Node, Pod, Service } from "../../api/generated/core-v1.generated.ts";
import type {
  Endpoint,
  EndpointPort,
  EndpointSlice,
} from "../../api/generated/discovery-v1.generated.ts";
import { matchesMap } from "../../api/labels.ts";
import { keyOf, type NewObject, objectKey } from "../../api/object.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { endpointSliceResource } from "../../api/resources/endpointslice.ts";
import { serviceResource } from "../../api/resources/service.ts";
import { isPodReady, isPodTerminal } from "../../api/shared/pod-status.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { indexBy } from "../../client/informer-index.ts";
import { controllerReference } from "../../client/ownership.ts";
import { watchChanges, watchMapped, watchSelf } from "../../client/watches.ts";
import { hasSelector, watchPodsOfServices } from "./service-endpoints/services-of-pod.ts";
import { hostnameIn, isHeadless, targetPortOf } from "./service-endpoints/target-port.ts";

const serviceNameLabel = "kubernetes.io/service-name";
const managedByLabel = "endpointslice.kubernetes.io/managed-by";
const headlessLabel = "service.kubernetes.io/headless";
const managedBy = "endpointslice-controller.k8s.io";
const zoneLabel = "topology.kubernetes.io/zone";
const endpointsPerSliceMax = 100;

type AddressType = "IPv4" | "IPv6";

export interface SlicePlan {
  readonly create: readonly NewObject<EndpointSlice>[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

/**
 * What makes the service's slices tell of its pods, with as few writes as may be: an endpoint stays in the slice it
 * is in, new ones go where something changes anyway, and only what then has no place makes another slice.
 *
 * @package
 */
export function planSlices(
  service: Service,
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
  existing: readonly EndpointSlice[],
): SlicePlan {
  const families = (service.spec.ipFamilies ?? []).filter((family) => family !== "");
  const create: NewObject<EndpointSlice>[] = [];
  const update: EndpointSlice[] = [];
  const remove: EndpointSlice[] = existing.filter(
    ({ addressType }) => !families.some((family) => family === addressType),
  );
  for (const family of families) {
    const groups = groupByPorts(service, pods, nodeOf, family);
    const plan = planFamily(
      service,
      family,
      groups,
      existing.filter(({ addressType }) => addressType === family),
    );
    create.push(...plan.create);
    update.push(...plan.update);
    remove.push(...plan.remove);
  }
  return { create, update, remove };
}

interface PortGroup {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** A named port may have another number in each pod: those with the same numbers share slices. */
function groupByPorts(
  service: Service,
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
  family: AddressType,
): readonly PortGroup[] {
  const groups = new Map<string, { ports: readonly EndpointPort[]; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    const endpoint = endpointOf(service, pod, nodeOf, family);
    if (endpoint === undefined) continue;
    const ports = portsOf(service, pod);
    const id = portsId(ports);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, { ports, endpoints: [endpoint] });
    else group.endpoints.push(endpoint);
  }
  // A slice says that nobody serves; no slice at all would say that nobody looked.
  return groups.size === 0 ? [{ ports: [], endpoints: [] }] : [...groups.values()];
}

function endpointOf(
  service: Service,
  pod: Pod,
  nodeOf: (name: string) => Node | undefined,
  family: AddressType,
): Endpoint | undefined {
  if (isPodTerminal(pod)) return undefined;
  const addresses = (pod.status.podIPs ?? [])
    .map(({ ip }) => ip)
    .filter((ip): ip is string => ip !== undefined && ip.includes(":") === (family === "IPv6"));
  if (addresses.length === 0) return undefined;
  const { nodeName = "" } = pod.spec;
  const node = nodeOf(nodeName);
  const always = service.spec.publishNotReadyAddresses === true;
  // Of a node that is gone nothing is known, least of all whether its pods still answer.
  if (node === undefined && !always) return undefined;
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const zone = node?.metadata.labels?.[zoneLabel];
  const hostname = hostnameIn(service, pod);
  const { name, namespace, uid } = pod.metadata;
  return {
    addresses,
    conditions: { ready: always || (serving && !terminating), serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === "" ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
    targetRef: { kind: "Pod", ...(namespace === undefined ? {} : { namespace }), name, uid },
  };
}

function portsOf(service: Service, pod: Pod): readonly EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const port of service.spec.ports ?? []) {
    const number = targetPortOf(pod, port);
    if (number === undefined) continue;
    const { name = "", protocol, appProtocol } = port;
    ports.push({
      name,
      protocol,
      port: number,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    });
  }
  return ports;
}

function portsId(ports: readonly EndpointPort[] | undefined): string {
  return (ports ?? [])
    .map(({ name = "", protocol, port, appProtocol }) =>
      JSON.stringify([name, protocol, port, appProtocol]),
    )
    .sort()
    .join();
}

function planFamily(
  service: Service,
  family: AddressType,
  groups: readonly PortGroup[],
  existing: readonly EndpointSlice[],
): SlicePlan {
  const wanted = new Set(groups.map(({ ports }) => portsId(ports)));
  const remove = existing.filter(({ ports }) => !wanted.has(portsId(ports)));
  const create: NewObject<EndpointSlice>[] = [];
  const update: EndpointSlice[] = [];
  for (const group of groups) {
    const id = portsId(group.ports);
    const slices = existing.filter(({ ports }) => portsId(ports) === id);
    const plan = planGroup(service, family, group, slices);
    create.push(...plan.create);
    update.push(...plan.update);
    remove.push(...plan.remove);
  }
  // What must go can as well become what must come: one write instead of two.
  while (create.length > 0 && remove.length > 0) {
    const next = create.pop();
    const old = remove.pop();
    if (next === undefined || old === undefined) break;
    update.push({
      ...old,
      metadata: { ...old.metadata, labels: labelsFor(service) },
      endpoints: next.endpoints ?? [],
      ports: next.ports ?? [],
    });
  }
  return { create, update, remove };
}

function planGroup(
  service: Service,
  family: AddressType,
  group: PortGroup,
  slices: readonly EndpointSlice[],
): SlicePlan {
  const missing = new Map(group.endpoints.map((endpoint) => [endpointId(endpoint), endpoint]));
  const drafts = slices.map((slice) => {
    const endpoints: Endpoint[] = [];
    for (const endpoint of slice.endpoints ?? []) {
      const id = endpointId(endpoint);
      const wanted = missing.get(id);
      if (wanted === undefined) continue;
      missing.delete(id);
      endpoints.push(wanted);
    }
    const changed =
      !equalJson(endpoints, slice.endpoints ?? []) ||
      !equalJson(slice.metadata.labels, labelsFor(service));
    return { slice, endpoints, changed };
  });
  const rest = [...missing.values()];
  for (const draft of drafts.toSorted((a, b) => b.endpoints.length - a.endpoints.length)) {
    if (draft.changed) draft.endpoints.push(...rest.splice(0, room(draft.endpoints)));
  }
  // What is left fits into one slice that has room, or makes new ones.
  const roomy = drafts
    .filter(({ changed, endpoints }) => !changed && room(endpoints) >= rest.length)
    .toSorted((a, b) => b.endpoints.length - a.endpoints.length)[0];
  if (rest.length > 0 && rest.length < endpointsPerSliceMax && roomy !== undefined) {
    roomy.endpoints.push(...rest.splice(0));
    roomy.changed = true;
  }
  const create: NewObject<EndpointSlice>[] = [];
  while (rest.length > 0) {
    create.push(newSlice(service, family, group.ports, rest.splice(0, endpointsPerSliceMax)));
  }
  const isPlaceholder = group.endpoints.length === 0;
  if (isPlaceholder && drafts.length === 0) create.push(newSlice(service, family, [], []));
  const kept = isPlaceholder
    ? drafts.slice(0, 1)
    : drafts.filter(({ endpoints }) => endpoints.length > 0);
  return {
    create,
    update: kept
      .filter(({ changed }) => changed)
      .map(({ slice, endpoints }) => ({
        ...slice,
        metadata: { ...slice.metadata, labels: labelsFor(service) },
        endpoints,
      })),
    remove: drafts.filter((draft) => !kept.includes(draft)).map(({ slice }) => slice),
  };
}

function room(endpoints: readonly Endpoint[]): number {
  return endpointsPerSliceMax - endpoints.length;
}

function endpointId({ addresses, targetRef }: Endpoint): string {
  return JSON.stringify([addresses, targetRef?.uid]);
}

function newSlice(
  service: Service,
  addressType: AddressType,
  ports: readonly EndpointPort[],
  endpoints: readonly Endpoint[],
): NewObject<EndpointSlice> {
  const { name, namespace } = service.metadata;
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: labelsFor(service),
      ownerReferences: [controllerReference(service, serviceResource)],
    },
    addressType,
    endpoints,
    ports,
  };
}

function labelsFor(service: Service): Readonly<Record<string, string>> {
  const { [headlessLabel]: _, ...own } = service.metadata.labels ?? {};
  return {
    ...own,
    [serviceNameLabel]: service.metadata.name,
    [managedByLabel]: managedBy,
    ...(isHeadless(service) ? { [headlessLabel]: "" } : {}),
  };
}

/** Keeps EndpointSlices that tell which pods serve each Service that has a selector. */
export function endpointSliceController(deps: {
  readonly client: Client;
  readonly services: Informer<Service>;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly slices: Informer<EndpointSlice>;
}): Controller {
  const { client, services, pods, nodes, slices } = deps;
  const slicesOf = indexBy(slices, serviceKeyOf);
  return {
    name: "endpointslice",
    watches: [
      watchSelf(services),
      watchPodsOfServices(pods, services),
      watchMapped(slices, (slice) => {
        const key = serviceKeyOf(slice);
        return key === undefined ? [] : [key];
      }),
      // A node that comes, goes or moves to another zone changes the endpoints on it.
      watchChanges(nodes, (node, previous) => {
        const zone = previous?.metadata.labels?.[zoneLabel];
        if (previous !== undefined && node.metadata.labels?.[zoneLabel] === zone) return [];
        return services.list().filter(hasSelector).map(keyOf);
      }),
    ],
    async reconcile(key, signal) {
      const service = services.get(key);
      // Without a service its slices have no owner: the garbage collector removes them.
      if (service === undefined || !hasSelector(service)) return undefined;
      if (service.metadata.deletionTimestamp !== undefined) return undefined;
      const selected = pods
        .list(service.metadata.namespace)
        .filter(({ metadata }) => matchesMap(service.spec.selector ?? {}, metadata.labels));
      const existing = slicesOf
        .list(key)
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      const plan = planSlices(service, selected, (name) => nodes.get(name), existing);
      for (const slice of plan.create) await client.create(endpointSliceResource, slice, signal);
      for (const slice of plan.update) await client.update(endpointSliceResource, slice, signal);
      for (const slice of plan.remove) {
        await client.delete(endpointSliceResource, keyOf(slice), signal, {
          preconditions: { uid: slice.metadata.uid },
        });
      }
      return undefined;
    },
  };
}

function serviceKeyOf({ metadata }: EndpointSlice): string | undefined {
  const name = metadata.labels?.[serviceNameLabel];
  if (name === undefined || metadata.labels?.[managedByLabel] !== managedBy) return undefined;
  return objectKey(metadata.namespace, name);
}
