import { type KubernetesObject, keyOf, type ObjectKey, objectKey } from "../api/object.ts";
import type { ResourceDefinition } from "../api/resource.ts";
import type { Watch } from "./controller.ts";
import type { Informer } from "./informer.ts";
import { controllerOf } from "./ownership.ts";

/** Reconciles the object itself. */
export function watchSelf<T extends KubernetesObject>(informer: Informer<T>): Watch {
  return { informer: generic(informer), keysFor: (object) => [keyOf(object)] };
}

/** Reconciles the controller of the object, where that is an `owner`; and the one it had before. */
export function watchOwned<T extends KubernetesObject>(
  informer: Informer<T>,
  owner: Pick<ResourceDefinition, "group" | "version" | "kind">,
): Watch {
  const ownerKey = (object: KubernetesObject): ObjectKey | undefined => {
    const reference = controllerOf(object);
    if (reference?.kind !== owner.kind || groupOf(reference.apiVersion) !== owner.group) {
      return undefined;
    }
    return objectKey(object.metadata.namespace, reference.name);
  };
  return {
    informer: generic(informer),
    keysFor(object, previous) {
      const keys = new Set<ObjectKey>();
      for (const version of [object, previous]) {
        const key = version === undefined ? undefined : ownerKey(version);
        if (key !== undefined) keys.add(key);
      }
      return [...keys];
    },
  };
}

/** Reconciles whatever `keysFor` says of the object, in its old and its new form. */
export function watchMapped<T extends KubernetesObject>(
  informer: Informer<T>,
  keysFor: (object: T) => readonly ObjectKey[],
): Watch {
  return {
    informer: generic(informer),
    // An informer of `T` tells of nothing but `T`s.
    keysFor: (object, previous) =>
      previous === undefined
        ? keysFor(object as T)
        : [...new Set([...keysFor(object as T), ...keysFor(previous as T)])],
  };
}

/** As `watchMapped`, for a mapping that must see both forms at once. */
export function watchChanges<T extends KubernetesObject>(
  informer: Informer<T>,
  keysFor: (object: T, previous: T | undefined) => readonly ObjectKey[],
): Watch {
  return {
    informer: generic(informer),
    keysFor: (object, previous) => keysFor(object as T, previous as T | undefined),
  };
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf("/");
  return slash === -1 ? "" : apiVersion.slice(0, slash);
}

function generic<T extends KubernetesObject>(informer: Informer<T>): Informer<KubernetesObject> {
  return informer as unknown as Informer<KubernetesObject>;
}
