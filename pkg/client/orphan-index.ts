import { type KubernetesObject, keyOf, type ObjectKey } from "../api/object.ts";
import type { Informer } from "./informer.ts";
import { controllerOf } from "./ownership.ts";

/** The objects of a kind that have no controller, by namespace: those that a controller might adopt. */
export interface OrphanIndex<T extends KubernetesObject> {
  list(namespace: string | undefined): readonly T[];
}

/** An index that follows `informer` for as long as that runs. Costs what it returns, not what is stored. */
export function indexOrphans<T extends KubernetesObject>(informer: Informer<T>): OrphanIndex<T> {
  const namespaces = new Map<string, Map<ObjectKey, T>>();
  informer.subscribe((event) => {
    const { object } = event;
    const namespace = object.metadata.namespace ?? "";
    const orphans = namespaces.get(namespace);
    if (event.type !== "deleted" && controllerOf(object) === undefined) {
      if (orphans === undefined) namespaces.set(namespace, new Map([[keyOf(object), object]]));
      else orphans.set(keyOf(object), object);
    } else if (orphans?.delete(keyOf(object)) === true && orphans.size === 0) {
      namespaces.delete(namespace);
    }
  });
  return { list: (namespace) => [...(namespaces.get(namespace ?? "")?.values() ?? [])] };
}
