import type { KubernetesObject } from "../api/object.ts";
import { groupResourceOf, type ResourceDefinition } from "../api/resource.ts";
import { aborted } from "../base/abort.ts";
import type { Service } from "../base/service.ts";
import type { Client } from "./client.ts";
import type { Informer } from "./informer.ts";

/** One informer a kind, shared by all who ask, and run as one service. */
export interface SharedInformers extends Service {
  /** The one informer of `resource`, in all namespaces. Asked for while running, it starts at once. */
  informer<T extends KubernetesObject>(resource: ResourceDefinition<T>): Informer<T>;
  /** The informer of `resource` if somebody asked for it before. */
  existing(resource: ResourceDefinition): Informer<KubernetesObject> | undefined;
}

export function createSharedInformers(client: Pick<Client, "informer">): SharedInformers {
  const informers = new Map<string, Informer<KubernetesObject>>();
  let start: ((informer: Informer<KubernetesObject>) => void) | undefined;
  const nameOf = (resource: ResourceDefinition) =>
    `${groupResourceOf(resource)}/${resource.version}`;

  return {
    name: "informers",
    informer<T extends KubernetesObject>(resource: ResourceDefinition<T>) {
      const name = nameOf(resource as unknown as ResourceDefinition);
      let informer = informers.get(name);
      if (informer === undefined) {
        informer = client.informer(resource as unknown as ResourceDefinition);
        informers.set(name, informer);
        start?.(informer);
      }
      // The map holds, under a resource's name, only what that resource's definition made.
      return informer as unknown as Informer<T>;
    },
    existing: (resource) => informers.get(nameOf(resource)),
    async run(signal) {
      const stop = new AbortController();
      const ended = AbortSignal.any([signal, stop.signal]);
      const running = new Set<Promise<void>>();
      start = (informer) => {
        running.add(informer.run(ended).catch((error: unknown) => stop.abort(error)));
      };
      for (const informer of informers.values()) start(informer);
      await aborted(ended);
      start = undefined;
      await Promise.all(running);
      if (!signal.aborted) throw stop.signal.reason;
    },
  };
}
