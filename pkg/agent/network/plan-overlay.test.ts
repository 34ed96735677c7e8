import { expect, test } from "vitest";
import type { Node } from "../../api/generated/core-v1.generated.ts";
import { planOverlay, renderForwarding, renderRoutes } from "./plan-overlay.ts";

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

test("routes follow the peers, and go with them", () => {
  const { peers } = planOverlay("vxlan", "a", two);
  expect(renderRoutes("vxlan", [], peers, "eth0")).toEqual([
    "neigh replace 10.42.1.0 lladdr 02:42:c0:a8:00:02 dev flannel.1 nud permanent",
    "route replace 10.42.1.0/24 via 10.42.1.0 dev flannel.1 onlink proto 98",
  ]);
  expect(renderForwarding([], peers)).toEqual([
    "fdb replace 02:42:c0:a8:00:02 dev flannel.1 dst 192.168.0.2 self permanent",
  ]);
  expect(renderRoutes("host-gw", [], peers, "eth0")).toEqual([
    "route replace 10.42.1.0/24 via 192.168.0.2 dev eth0 proto 98",
  ]);
  expect(renderRoutes("vxlan", peers, [], "eth0")).toEqual(["route del 10.42.1.0/24"]);
});
