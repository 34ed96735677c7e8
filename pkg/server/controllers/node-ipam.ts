import ipaddr from "ipaddr.js";
import type { Node } from "../../api/generated/core-v1.generated.ts";
import { nodeResource } from "../../api/resources/node.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import type { EventRecorder } from "../../client/recorder.ts";
import { watchSelf } from "../../client/watches.ts";

/** Addresses for 254 pods, as Kubernetes gives each node. */
const nodePrefixBits = 24;

/**
 * The first block of `clusterCidr` that no node has; undefined where all are taken.
 *
 * @package
 */
export function nextPodCidr(clusterCidr: string, taken: ReadonlySet<string>): string | undefined {
  const [base, clusterBits] = ipaddr.IPv4.parseCIDR(clusterCidr);
  const [a = 0, b = 0, c = 0, d = 0] = base.toByteArray();
  const start = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  const prefixBits = Math.max(nodePrefixBits, clusterBits);
  const blocks = 2 ** (prefixBits - clusterBits);
  const mask = (0xffffffff << (32 - clusterBits)) >>> 0;
  for (let index = 0; index < blocks; index++) {
    const address = (((start & mask) >>> 0) + index * 2 ** (32 - prefixBits)) >>> 0;
    const bytes = [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255];
    const cidr = `${bytes.join(".")}/${prefixBits}`;
    if (!taken.has(cidr)) return cidr;
  }
  return undefined;
}

/** Gives each node a block of pod addresses of its own, which it keeps for as long as it exists. */
export function nodeIpamController(deps: {
  readonly client: Client;
  readonly nodes: Informer<Node>;
  readonly events: EventRecorder;
  readonly clusterCidr: string;
}): Controller {
  const { client, nodes, events, clusterCidr } = deps;
  return {
    name: "node-ipam",
    // One at a time: two nodes that come together must not be given the same block.
    workers: 1,
    watches: [watchSelf(nodes)],
    async reconcile(key, signal) {
      const node = nodes.get(key);
      if (node === undefined || (node.spec.podCIDR ?? "") !== "") return undefined;
      const taken = new Set(nodes.list().flatMap(({ spec }) => spec.podCIDRs ?? []));
      const podCIDR = nextPodCidr(clusterCidr, taken);
      if (podCIDR === undefined) {
        const message = `Node ${key} status is now: CIDRNotAvailable`;
        events.event(node, "Normal", "CIDRNotAvailable", message);
        throw new Error(
          `no pod addresses are left in ${clusterCidr} for node ${key}: delete nodes, or choose a larger --cluster-cidr`,
        );
      }
      const { uid, resourceVersion } = node.metadata;
      const patch = { metadata: { uid, resourceVersion }, spec: { podCIDR, podCIDRs: [podCIDR] } };
      await client.patch(nodeResource, key, { type: "merge", patch }, signal);
      return undefined;
    },
  };
}
