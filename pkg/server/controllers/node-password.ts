import type { Node } from "../../api/generated/core-v1.generated.ts";
import { passwordSecretName } from "../../api/node-bootstrap.ts";
import { objectKey } from "../../api/object.ts";
import { secretResource } from "../../api/resources/secret.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchSelf } from "../../client/watches.ts";

/** Frees the name of a deleted node: another machine may join under it. */
export function nodePasswordController(deps: {
  readonly client: Client;
  readonly nodes: Informer<Node>;
}): Controller {
  const { client, nodes } = deps;
  return {
    name: "node-password",
    watches: [watchSelf(nodes)],
    async reconcile(name, signal) {
      if (nodes.get(name) !== undefined) return undefined;
      const key = objectKey("kube-system", passwordSecretName(name));
      await client.delete(secretResource, key, signal);
      return undefined;
    },
  };
}
