import { AsyncLocalStorage } from "node:async_hooks";
import { type KubernetesObject, keyOf, type ObjectKey } from "../api/object.ts";
import type { ResourceDefinition } from "../api/resource.ts";
import type { Client } from "./client.ts";
import type { Informer } from "./informer.ts";

type Written =
  | {
      readonly type: "version";
      readonly informer: Informer<KubernetesObject>;
      readonly resourceVersion: string;
    }
  | {
      readonly type: "deleted";
      readonly informer: Informer<KubernetesObject>;
      readonly key: ObjectKey;
      readonly uid: string;
    };

/** Notes what is written through `client`, so that one can wait until the informers show it. */
export interface TrackedClient {
  readonly client: Client;
  /** Runs `work`; afterwards, failed or not, waits until the informers show all it wrote. */
  untilSeen<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** `informerOf` answers with the informer through which writes of a resource are read back, if there is one. */
export function createTrackedClient(
  client: Client,
  informerOf: (resource: ResourceDefinition) => Informer<KubernetesObject> | undefined,
): TrackedClient {
  const writes = new AsyncLocalStorage<Written[]>();

  function note(resource: unknown, object: KubernetesObject): void {
    const log = writes.getStore();
    if (log === undefined) return;
    const informer = informerOf(resource as ResourceDefinition);
    const { resourceVersion } = object.metadata;
    if (informer !== undefined && resourceVersion !== undefined && resourceVersion !== "") {
      log.push({ type: "version", informer, resourceVersion });
    }
  }

  const tracked: Client = {
    get: (resource, key, signal) => client.get(resource, key, signal),
    list: (resource, selection, signal) => client.list(resource, selection, signal),
    informer: (resource, options) => client.informer(resource, options),
    getSubresource: (resource, key, subresource, signal) =>
      client.getSubresource(resource, key, subresource, signal),
    createSubresource: (resource, key, subresource, body, signal) =>
      client.createSubresource(resource, key, subresource, body, signal),
    async create(resource, object, signal) {
      const created = await client.create(resource, object, signal);
      note(resource, created);
      return created;
    },
    async update(resource, object, signal, options) {
      const updated = await client.update(resource, object, signal, options);
      note(resource, updated);
      return updated;
    },
    async patch(resource, key, patch, signal, options) {
      const patched = await client.patch(resource, key, patch, signal, options);
      // A scale is another kind with its own answer: its version is that of its parent, all the same.
      note(resource, patched);
      return patched;
    },
    async delete(resource, key, signal, options) {
      const informer = informerOf(resource as unknown as ResourceDefinition);
      const uid = options?.preconditions?.uid ?? informer?.get(key)?.metadata.uid;
      await client.delete(resource, key, signal, options);
      const log = writes.getStore();
      if (log !== undefined && informer !== undefined && uid !== undefined) {
        log.push({ type: "deleted", informer, key, uid });
      }
    },
  };

  return {
    client: tracked,
    async untilSeen(work, signal) {
      const log: Written[] = [];
      try {
        return await writes.run(log, work);
      } finally {
        for (const written of log) await seen(written, signal);
      }
    },
  };
}

async function seen(written: Written, signal: AbortSignal): Promise<void> {
  if (written.type === "version") {
    await written.informer.caughtUp(written.resourceVersion, signal);
    return;
  }
  const { informer, key, uid } = written;
  const shows = () => {
    const object = informer.get(key);
    return (
      object === undefined ||
      object.metadata.uid !== uid ||
      object.metadata.deletionTimestamp !== undefined
    );
  };
  if (shows()) return;
  await new Promise<void>((resolve, reject) => {
    const abort = () => {
      unsubscribe();
      reject(signal.reason);
    };
    let subscribed = false;
    const unsubscribe = informer.subscribe((event) => {
      if (!subscribed || keyOf(event.object) !== key || !shows()) return;
      unsubscribe();
      signal.removeEventListener("abort", abort);
      resolve();
    });
    subscribed = true;
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
