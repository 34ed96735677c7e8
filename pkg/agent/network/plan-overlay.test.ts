import { expect, test } from "vitest";
import type { Node } from "../../api/generated/core-v1.generated.ts";
import {
  planOverlay,
  renderForwarding,
  renderRoutes,
  renderStaleForwarding,
  renderStaleRoutes,
} from "./plan-overlay.ts";

function node(name: string, address: string, podCIDR: string | undefined): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: podCIDR === undefined ? {} : { podCIDR },
    status: { addresses: [{ type: "InternalIP", address }] },
  } as unknown as Node;
}

const alone = [node("a", "192.168.0.1", "10.42.0.0/24")];
const two = [
  ...alone,
  node("b", "192.168.0.2", "10.42.1.0/24"),
  node("new", "192.168.0.3", undefined),
];

test("a node alone needs no tunnel and no routes", () => {
  expect(planOverlay("vxlan", "a", alone)).toEqual({ tunnel: undefined, peers: [] });
});

test("each other node with a range is a peer", () => {
  const peer = {
    podCidr: "10.42.1.0/24",
    nodeAddress: "192.168.0.2",
    gateway: "10.42.1.0",
    mac: "02:42:c0:a8:00:02",
  };
  expect(planOverlay("vxlan", "a", two)).toEqual({
    tunnel: { localAddress: "192.168.0.1", address: "10.42.0.0", mac: "02:42:c0:a8:00:01" },
    peers: [peer],
  });
  expect(planOverlay("host-gw", "a", two)).toEqual({ tunnel: undefined, peers: [peer] });
  expect(planOverlay("none", "a", two).peers).toEqual([]);
});

test("each peer has its route, and its end of the tunnel", () => {
  const { peers } = planOverlay("vxlan", "a", two);
  expect(renderRoutes("vxlan", peers, "eth0")).toEqual([
    "neigh replace 10.42.1.0 lladdr 02:42:c0:a8:00:02 dev flannel.1 nud permanent",
    "route replace 10.42.1.0/24 via 10.42.1.0 dev flannel.1 onlink proto 98",
  ]);
  expect(renderForwarding(peers)).toEqual([
    "fdb replace 02:42:c0:a8:00:02 dev flannel.1 dst 192.168.0.2 self permanent",
  ]);
  expect(renderRoutes("host-gw", peers, "eth0")).toEqual([
    "route replace 10.42.1.0/24 via 192.168.0.2 dev eth0 proto 98",
  ]);
});

test("what the kernel holds of nodes that left while we were away goes, and nothing else", () => {
  const { peers } = planOverlay("vxlan", "a", two);
  const routes = [
    "10.42.1.0/24 via 10.42.1.0 dev flannel.1 onlink",
    "10.42.9.0/24 via 10.42.9.0 dev flannel.1 onlink",
    "10.43.0.0/16 dev eth0 scope link src 192.168.0.1",
    "",
  ].join("\n");
  expect(renderStaleRoutes(routes, peers)).toEqual(["route del 10.42.9.0/24 proto 98"]);
  const entries = [
    "02:42:c0:a8:00:02 dst 192.168.0.2 self permanent",
    "02:42:c0:a8:00:09 dst 192.168.0.9 self permanent",
    "",
  ].join("\n");
  expect(renderStaleForwarding(entries, peers)).toEqual([
    "fdb del 02:42:c0:a8:00:09 dev flannel.1 dst 192.168.0.9 self",
  ]);
});
