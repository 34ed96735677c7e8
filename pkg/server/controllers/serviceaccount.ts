import { ApiError } from "../../api/api-error.ts";
import type { Namespace, ServiceAccount } from "../../api/generated/core-v1.generated.ts";
import { objectKey } from "../../api/object.ts";
import { serviceAccountResource } from "../../api/resources/serviceaccount.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchMapped, watchSelf } from "../../client/watches.ts";

/** Keeps a ServiceAccount `default` in each namespace that is not being deleted. */
export function serviceAccountController(deps: {
  readonly client: Client;
  readonly namespaces: Informer<Namespace>;
  readonly serviceAccounts: Informer<ServiceAccount>;
}): Controller {
  const { client, namespaces, serviceAccounts } = deps;
  return {
    name: "serviceaccount",
    watches: [
      watchSelf(namespaces),
      watchMapped(serviceAccounts, ({ metadata }) =>
        metadata.name === "default" && metadata.namespace !== undefined ? [metadata.namespace] : [],
      ),
    ],
    async reconcile(namespace, signal) {
      const current = namespaces.get(namespace);
      if (current === undefined || current.metadata.deletionTimestamp !== undefined)
        return undefined;
      if (serviceAccounts.get(objectKey(namespace, "default")) !== undefined) return undefined;
      try {
        await client.create(
          serviceAccountResource,
          { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace } },
          signal,
        );
      } catch (caught) {
        const error = ApiError.from(caught);
        // Made by somebody else meanwhile, or no longer wanted: the namespace began to end.
        if (error.reason !== "AlreadyExists" && error.reason !== "Forbidden") throw caught;
        if (namespaces.get(namespace)?.metadata.deletionTimestamp !== undefined) return undefined;
        if (error.reason === "Forbidden") throw caught;
      }
      return undefined;
    },
  };
}
