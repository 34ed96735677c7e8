import type { KubernetesObject } from "../../pkg/api/object.ts";
import type { ResourceDefinition } from "../../pkg/api/resource.ts";
import type { ObjectReader } from "../../pkg/server/apiserver/admission/admission.ts";
import type { FeedHandler, ObjectFeed } from "../../pkg/server/apiserver/authz/object-feed.ts";
import { storageKey, storagePrefix } from "../../pkg/server/apiserver/hub.ts";

/** Objects in a map, for tests of what only reads the cluster: a reader and a feed with the real ones' promises. */
export class ObjectWorld implements ObjectReader, ObjectFeed {
  readonly #objects = new Map<string, KubernetesObject>();
  readonly #handlers = new Map<string, Set<FeedHandler<KubernetesObject>>>();

  put<T extends KubernetesObject>(resource: ResourceDefinition<T>, object: T): T {
    const { namespace, name } = object.metadata;
    this.#change(resource, storageKey(resource, namespace, name), object);
    return object;
  }

  remove(resource: ResourceDefinition, namespace: string | undefined, name: string): void {
    this.#change(resource, storageKey(resource, namespace, name), undefined);
  }

  get<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    namespace: string | undefined,
    name: string,
  ): T | undefined {
    return this.#objects.get(storageKey(resource, namespace, name)) as T | undefined;
  }

  list<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    namespace?: string,
  ): readonly T[] {
    const prefix = storagePrefix(resource, namespace);
    return [...this.#objects]
      .filter(([key]) => key.startsWith(prefix))
      .map(([, object]) => object as T);
  }

  subscribe<T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    handler: FeedHandler<T>,
  ): () => void {
    for (const object of this.list(resource)) handler(object, undefined);
    const prefix = storagePrefix(resource);
    const handlers = this.#handlers.get(prefix) ?? new Set();
    this.#handlers.set(prefix, handlers);
    const untyped = handler as unknown as FeedHandler<KubernetesObject>;
    handlers.add(untyped);
    return () => handlers.delete(untyped);
  }

  #change(resource: ResourceDefinition, key: string, object: KubernetesObject | undefined): void {
    const previous = this.#objects.get(key);
    if (object === undefined) this.#objects.delete(key);
    else this.#objects.set(key, object);
    for (const handler of this.#handlers.get(storagePrefix(resource)) ?? []) {
      handler(object, previous);
    }
  }
}
