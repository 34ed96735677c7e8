import { type Hub, storageKey, storagePrefix } from "../hub.ts";
import type { ResourceTable } from "../resource-table.ts";
import type { Workload } from "./estimate-width.ts";

const nothing = { count: 0, bytes: 0 };

/** What the hub knows of the work a request means. */
export function createWorkload(hub: Hub, resources: ResourceTable): Workload {
  return {
    objects({ group, version, resource: plural }) {
      const resource = resources.find(group, version, plural);
      return resource === undefined ? nothing : hub.stats(storagePrefix(resource));
    },
    watchers({ group, version, resource: plural, namespace, name }) {
      const resource = resources.find(group, version, plural);
      if (resource === undefined) return 0;
      const isNamespaced = resource.scope === "namespace";
      let watchers = hub.watcherCount(storagePrefix(resource));
      if (isNamespaced) watchers += hub.watcherCount(storagePrefix(resource, namespace));
      if (name === "") return watchers;
      return watchers + hub.watcherCount(storageKey(resource, isNamespaced ? namespace : "", name));
    },
  };
}
