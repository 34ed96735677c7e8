import type { ConfigMap, Pod, Secret } from "../../api/generated/core-v1.generated.ts";
import { objectKey } from "../../api/object.ts";
import { configMapResource } from "../../api/resources/configmap.ts";
import { secretResource } from "../../api/resources/secret.ts";
import type { Logger } from "../../base/log.ts";
import type { Client } from "../../client/client.ts";
import type { Informer } from "../../client/informer.ts";

/** The ConfigMaps and Secrets that pods of this node name, each watched for as long as a pod names it. */
export interface ReferencedObjects {
  /** Resolves once all that the pod names is known, or known to be missing. */
  reference(pod: Pod, signal: AbortSignal): Promise<void>;
  /** The pod is gone. */
  release(podUid: string): void;
  configMap(namespace: string, name: string): ConfigMap | undefined;
  secret(namespace: string, name: string): Secret | undefined;
}

interface Watched<T extends ConfigMap | Secret> {
  readonly informer: Informer<T>;
  readonly pods: Set<string>;
  readonly stop: AbortController;
}

export function createReferencedObjects(deps: {
  readonly client: Pick<Client, "informer">;
  readonly logger: Logger;
  /** Something the pods name has changed. */
  onChange(podUids: readonly string[]): void;
}): ReferencedObjects {
  const configMaps = new Map<string, Watched<ConfigMap>>();
  const secrets = new Map<string, Watched<Secret>>();

  function watch<T extends ConfigMap | Secret>(
    watched: Map<string, Watched<T>>,
    open: (options: { namespace: string; fieldSelector: string }) => Informer<T>,
    namespace: string,
    name: string,
    podUid: string,
  ): Informer<T> {
    const key = objectKey(namespace, name);
    let entry = watched.get(key);
    if (entry === undefined) {
      const informer = open({ namespace, fieldSelector: `metadata.name=${name}` });
      const pods = new Set<string>();
      entry = { informer, pods, stop: new AbortController() };
      watched.set(key, entry);
      let synced = false;
      const { signal } = entry.stop;
      informer.subscribe(() => {
        // What the first list brings is awaited by `reference`.
        if (synced) deps.onChange([...pods]);
      });
      void informer.synced(signal).then(
        () => {
          synced = true;
        },
        () => {},
      );
      informer.run(signal).catch((caught: unknown) => {
        if (!signal.aborted)
          deps.logger.error("a referenced object cannot be watched", {
            key,
            error: String(caught),
          });
      });
    }
    entry.pods.add(podUid);
    return entry.informer;
  }

  function release(podUid: string): void {
    for (const watched of [configMaps, secrets]) {
      for (const [key, entry] of watched) {
        if (!entry.pods.delete(podUid) || entry.pods.size > 0) continue;
        entry.stop.abort();
        watched.delete(key);
      }
    }
  }

  return {
    release,
    async reference(pod, signal) {
      const { namespace = "", uid } = pod.metadata;
      const names = namesIn(pod);
      await Promise.all([
        ...[...names.configMaps].map((name) =>
          watch(
            configMaps,
            (options) => deps.client.informer(configMapResource, options),
            namespace,
            name,
            uid,
          ).synced(signal),
        ),
        ...[...names.secrets].map((name) =>
          watch(
            secrets,
            (options) => deps.client.informer(secretResource, options),
            namespace,
            name,
            uid,
          ).synced(signal),
        ),
      ]);
    },
    configMap: (namespace, name) => {
      const key = objectKey(namespace, name);
      return configMaps.get(key)?.informer.get(key);
    },
    secret: (namespace, name) => {
      const key = objectKey(namespace, name);
      return secrets.get(key)?.informer.get(key);
    },
  };
}

/** The names of all ConfigMaps and Secrets in a pod's spec. */
export function namesIn(pod: Pod): {
  readonly configMaps: ReadonlySet<string>;
  readonly secrets: ReadonlySet<string>;
} {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  const add = (names: Set<string>, name: string | undefined) => {
    if (name !== undefined && name !== "") names.add(name);
  };
  const { volumes = [], containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  for (const volume of volumes) {
    add(configMaps, volume.configMap?.name);
    add(secrets, volume.secret?.secretName);
    for (const source of volume.projected?.sources ?? []) {
      add(configMaps, source.configMap?.name);
      add(secrets, source.secret?.name);
    }
  }
  for (const container of [...containers, ...initContainers, ...ephemeralContainers]) {
    for (const source of container.envFrom ?? []) {
      add(configMaps, source.configMapRef?.name);
      add(secrets, source.secretRef?.name);
    }
    for (const variable of container.env ?? []) {
      add(configMaps, variable.valueFrom?.configMapKeyRef?.name);
      add(secrets, variable.valueFrom?.secretKeyRef?.name);
    }
  }
  for (const { name } of pod.spec.imagePullSecrets ?? []) add(secrets, name);
  return { configMaps, secrets };
}
