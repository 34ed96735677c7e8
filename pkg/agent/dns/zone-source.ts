import type { Namespace, Service } from "../../api/generated/core-v1.generated.ts";
import type { EndpointSlice } from "../../api/generated/discovery-v1.generated.ts";
import { objectKey } from "../../api/object.ts";
import type { Informer } from "../../client/informer.ts";
import type { ZoneSource } from "./cluster-zone.ts";

/** The zone's view of the informers, with the two indexes that a question needs kept current. */
export function createZoneSource(deps: {
  readonly services: Informer<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly namespaces: Informer<Namespace>;
}): ZoneSource & Disposable {
  const { services, slices, namespaces } = deps;
  const slicesByService = new Map<string, Map<string, EndpointSlice>>();
  const byAddress = new Map<string, Service>();

  const forgetSlice = ({ metadata: { namespace, name, labels } }: EndpointSlice) => {
    const key = objectKey(namespace, labels?.["kubernetes.io/service-name"] ?? "");
    const group = slicesByService.get(key);
    group?.delete(name);
    if (group?.size === 0) slicesByService.delete(key);
  };
  const endSlices = slices.subscribe((event) => {
    // A slice that was given to another Service is no longer the first one's.
    forgetSlice(event.type === "modified" ? event.previous : event.object);
    if (event.type === "deleted") return;
    const { namespace, name, labels } = event.object.metadata;
    const service = labels?.["kubernetes.io/service-name"];
    if (service === undefined) return;
    const key = objectKey(namespace, service);
    const group = slicesByService.get(key);
    if (group === undefined) slicesByService.set(key, new Map([[name, event.object]]));
    else group.set(name, event.object);
  });
  const endServices = services.subscribe((event) => {
    const before = event.type === "modified" ? event.previous : event.object;
    for (const address of before.spec.clusterIPs ?? []) byAddress.delete(address);
    if (event.type === "deleted") return;
    for (const address of event.object.spec.clusterIPs ?? []) {
      if (address !== "None") byAddress.set(address, event.object);
    }
  });

  return {
    service: (namespace, name) => services.get(objectKey(namespace, name)),
    slices: (namespace, service) => [
      ...(slicesByService.get(objectKey(namespace, service))?.values() ?? []),
    ],
    namespaceExists: (name) => namespaces.get(name) !== undefined,
    serviceByAddress: (address) => byAddress.get(address),
    [Symbol.dispose]() {
      endSlices();
      endServices();
    },
  };
}
