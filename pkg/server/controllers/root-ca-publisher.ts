import type { ConfigMap, Namespace } from "../../api/generated/core-v1.generated.ts";
import { objectKey } from "../../api/object.ts";
import { configMapResource } from "../../api/resources/configmap.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchMapped, watchSelf } from "../../client/watches.ts";

const configMapName = "kube-root-ca.crt";
const descriptionAnnotation = "kubernetes.io/description";
/** Upstream's, word for word. */
const description =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

/** Keeps the API server's CA in each namespace, as ConfigMap `kube-root-ca.crt`: pods find it with their token. */
export function rootCaPublisherController(deps: {
  readonly client: Client;
  readonly namespaces: Informer<Namespace>;
  readonly configMaps: Informer<ConfigMap>;
  /** PEM. */
  readonly rootCa: string;
}): Controller {
  const { client, namespaces, configMaps, rootCa } = deps;
  return {
    name: "root-ca-publisher",
    watches: [
      watchSelf(namespaces),
      watchMapped(configMaps, ({ metadata }) =>
        metadata.name === configMapName && metadata.namespace !== undefined
          ? [metadata.namespace]
          : [],
      ),
    ],
    async reconcile(namespace, signal) {
      const ends = namespaces.get(namespace)?.metadata.deletionTimestamp;
      if (namespaces.get(namespace) === undefined || ends !== undefined) return undefined;
      const current = configMaps.get(objectKey(namespace, configMapName));
      const data = { "ca.crt": rootCa };
      if (current === undefined) {
        const metadata = {
          name: configMapName,
          namespace,
          annotations: { [descriptionAnnotation]: description },
        };
        const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata, data } as const;
        await client.create(configMapResource, configMap, signal);
        return undefined;
      }
      const { annotations = {} } = current.metadata;
      const isRight =
        current.data?.["ca.crt"] === rootCa &&
        Object.keys(current.data).length === 1 &&
        annotations[descriptionAnnotation] !== undefined;
      if (isRight) return undefined;
      const metadata = {
        ...current.metadata,
        annotations: { ...annotations, [descriptionAnnotation]: description },
      };
      await client.update(configMapResource, { ...current, metadata, data }, signal);
      return undefined;
    },
  };
}
