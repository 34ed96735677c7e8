import type { KubernetesObject } from "../api/object.ts";
import { keyOf, splitKey } from "../api/object.ts";
import type { ResourceDefinition } from "../api/resource.ts";
import { aborted } from "../base/abort.ts";
import type { Client } from "../client/client.ts";
import type { Informer, InformerOptions } from "../client/informer.ts";
import { InformerCache } from "../client/informer-cache.ts";
import { type Api, isNotFound } from "./apiserver/api.ts";
import type { UserInfo } from "./apiserver/authn/authenticator.ts";
import type { RequestContext } from "./apiserver/request-context.ts";

export interface LocalClientOptions {
  readonly api: Api;
  /** As whom: authorization and admission hold for it as for anybody else. */
  readonly user: UserInfo;
  /** Owns the fields that are written. */
  readonly fieldManager: string;
}

/** The API for those who live in the server's process: no socket, no bytes, and the hub's own objects. */
export function createLocalClient({ api, user, fieldManager }: LocalClientOptions): Client {
  const contextOf = (signal: AbortSignal): RequestContext => ({
    user,
    signal,
    fieldManager,
    warnings: [],
  });
  return {
    get: (resource, key, signal) => ifFound(api.get(contextOf(signal), resource, splitKey(key))),
    getSubresource: (resource, key, subresource, signal) =>
      ifFound(api.getSubresource(contextOf(signal), resource, splitKey(key), subresource)),
    list: (resource, { namespace, ...selection }, signal) =>
      api.list(contextOf(signal), resource, namespace, selection),
    create: (resource, object, signal) => api.create(contextOf(signal), resource, object),
    createSubresource: (resource, key, subresource, body, signal) =>
      api.createSubresource(contextOf(signal), resource, splitKey(key), subresource, body),
    update: (resource, object, signal, options = {}) =>
      api.update(contextOf(signal), resource, object, options.subresource),
    patch: (resource, key, patch, signal, options = {}) =>
      api.patch(contextOf(signal), resource, splitKey(key), patch, options.subresource),
    async delete(resource, key, signal, options = {}) {
      const erased = resource as unknown as ResourceDefinition;
      try {
        await api.delete(contextOf(signal), erased, splitKey(key), options);
      } catch (caught) {
        if (!isNotFound(caught)) throw caught;
      }
    },
    informer: <T extends KubernetesObject>(
      resource: ResourceDefinition<T>,
      options: InformerOptions = {},
    ) => new LocalInformer<T>(api, resource, options, contextOf),
  };
}

async function ifFound<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (caught) {
    if (isNotFound(caught)) return undefined;
    throw caught;
  }
}

/** Follows the hub without a copy: what it holds are references to the hub's own frozen objects. */
class LocalInformer<T extends KubernetesObject> implements Informer<T> {
  readonly #cache = new InformerCache<T>();
  readonly #api: Api;
  readonly #resource: ResourceDefinition<T>;
  readonly #options: InformerOptions;
  readonly #contextOf: (signal: AbortSignal) => RequestContext;

  constructor(
    api: Api,
    resource: ResourceDefinition<T>,
    options: InformerOptions,
    contextOf: (signal: AbortSignal) => RequestContext,
  ) {
    this.#api = api;
    this.#resource = resource;
    this.#options = options;
    this.#contextOf = contextOf;
  }

  get(key: string): T | undefined {
    return this.#cache.get(key);
  }

  list(namespace?: string): readonly T[] {
    return this.#cache.list(namespace);
  }

  ownedBy(uid: string): readonly T[] {
    return this.#cache.ownedBy(uid);
  }

  subscribe(handler: Parameters<Informer<T>["subscribe"]>[0]): () => void {
    return this.#cache.subscribe(handler);
  }

  synced(signal: AbortSignal): Promise<void> {
    return this.#cache.synced(signal);
  }

  /** A write outside of this informer's selection tells it nothing: so the hub is asked, which tells it first. */
  async caughtUp(resourceVersion: string, signal: AbortSignal): Promise<void> {
    await this.#cache.synced(signal);
    await this.#api.caughtUp(Number(resourceVersion), signal);
  }

  async run(signal: AbortSignal): Promise<void> {
    const broken = new AbortController();
    let stop = () => {};
    const follow = () => {
      try {
        stop = this.#follow(signal, follow);
      } catch (caught) {
        broken.abort(caught);
      }
    };
    follow();
    await aborted(AbortSignal.any([signal, broken.signal]));
    stop();
    if (!signal.aborted) throw broken.signal.reason;
  }

  /** Takes over what is there, and follows from there on. `expired` is called where that is no longer possible. */
  #follow(signal: AbortSignal, expired: () => void): () => void {
    const { namespace, labelSelector = "", fieldSelector = "" } = this.#options;
    const cache = this.#cache;
    const api = this.#api;
    let present: T[] | undefined = [];
    return api.watch(
      this.#contextOf(signal),
      this.#resource as unknown as ResourceDefinition,
      namespace,
      {
        labelSelector,
        fieldSelector,
        resourceVersion: "",
        allowWatchBookmarks: false,
        sendInitialEvents: true,
      },
      {
        event(type, stored) {
          // What is stored under a kind is of that kind.
          const object = stored.value as unknown as T;
          if (present !== undefined) present.push(object);
          else if (type === "DELETED") cache.remove(keyOf(object), object);
          else cache.set(object);
        },
        bookmark() {},
        flush() {
          if (present !== undefined) cache.replace(present, String(api.revision));
          present = undefined;
        },
        fail: expired,
      },
    );
  }
}
