import type { Node } from "../../api/generated/core-v1.generated.ts";
import { nodeResource } from "../../api/resources/node.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchSelf } from "../../client/watches.ts";

const label = "node-role.kubernetes.io/control-plane";

/**
 * Labels the node on this server's machine as part of the control plane. The node may not do it itself: a stolen
 * node could otherwise draw what is meant for the control plane (NodeRestriction).
 */
export function controlPlaneLabelController(deps: {
  readonly client: Client;
  readonly nodes: Informer<Node>;
  /** The node of this machine; undefined with `--disable-agent`. */
  readonly serverNode: string | undefined;
}): Controller {
  const { client, nodes, serverNode } = deps;
  return {
    name: "control-plane-label",
    watches: [watchSelf(nodes)],
    async reconcile(name, signal) {
      const node = nodes.get(name);
      if (node === undefined || name !== serverNode) return undefined;
      if (node.metadata.labels?.[label] === "true") return undefined;
      const patch = { metadata: { labels: { [label]: "true" } } };
      await client.patch(nodeResource, name, { type: "merge", patch }, signal);
      return undefined;
    },
  };
}
