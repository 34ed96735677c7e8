import type { KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import { type Hub, storageKey, storagePrefix } from "../hub.ts";
import type { ObjectReader } from "./admission.ts";

/** Reads the hub's own objects: always the latest that any reader sees. */
export function createHubObjectReader(hub: Hub): ObjectReader {
  return {
    get: <T extends KubernetesObject>(
      resource: ResourceDefinition<T>,
      namespace: string | undefined,
      name: string,
    ) =>
      // Under a resource's prefix lie objects of that resource alone.
      hub.get(storageKey(resource, namespace, name))?.value as T | undefined,
    list: <T extends KubernetesObject>(resource: ResourceDefinition<T>, namespace?: string) => {
      const listed = hub.list({ prefix: storagePrefix(resource, namespace) });
      if (listed.outcome !== "listed") throw new Error("a list of the present cannot be expired");
      return listed.objects.map((object) => object.value as T);
    },
  };
}
