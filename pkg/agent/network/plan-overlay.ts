import type { Node } from "../../api/generated/core-v1.generated.ts";

export type OverlayKind = "vxlan" | "host-gw" | "none";

/** What the kernel must hold so that pods of other nodes are reached: nothing else of the link is touched. */
export interface OverlayPlan {
  /** Undefined where no tunnel is needed: host-gw, or no other node. */
  readonly tunnel:
    | { readonly localAddress: string; readonly address: string; readonly mac: string }
    | undefined;
  readonly peers: readonly OverlayPeer[];
}

export interface OverlayPeer {
  readonly podCidr: string;
  readonly nodeAddress: string;
  /** The tunnel's own address on the other side: the first of its range, as flannel's. */
  readonly gateway: string;
  readonly mac: string;
}

/** flannel's name for its tunnel, under which people look for it. */
export const tunnelLink = "flannel.1";
/** flannel's default network identifier and port. */
export const tunnelId = 1;
export const tunnelPort = 8472;
/** Marks our routes, so that they are told from others' and can be taken away. */
export const routeProtocol = 98;
/** What VXLAN over IPv4 adds to a packet, in bytes. */
export const tunnelOverheadBytes = 50;

/** Which peers this node needs, decided from the Node objects alone: each must have an address and a range. */
export function planOverlay(
  kind: OverlayKind,
  selfName: string,
  nodes: readonly Node[],
): OverlayPlan {
  const self = nodes.find((node) => node.metadata.name === selfName);
  const selfPeer = self === undefined ? undefined : peerOf(self);
  if (kind === "none" || selfPeer === undefined) return { tunnel: undefined, peers: [] };
  const peers = nodes
    .filter((node) => node.metadata.name !== selfName)
    .flatMap((node) => peerOf(node) ?? [])
    .sort((a, b) => (a.podCidr < b.podCidr ? -1 : 1));
  const needsTunnel = kind === "vxlan" && peers.length > 0;
  return {
    tunnel: needsTunnel
      ? { localAddress: selfPeer.nodeAddress, address: selfPeer.gateway, mac: selfPeer.mac }
      : undefined,
    peers,
  };
}

function peerOf(node: Node): OverlayPeer | undefined {
  const nodeAddress = node.status.addresses?.find(({ type }) => type === "InternalIP")?.address;
  const podCidr = node.spec.podCIDR;
  if (nodeAddress === undefined || podCidr === undefined || !nodeAddress.includes("."))
    return undefined;
  return {
    podCidr,
    nodeAddress,
    gateway: podCidr.split("/")[0] ?? "",
    mac: tunnelMac(nodeAddress),
  };
}

/** A locally administered MAC made of the node's address, so that every node knows it without being told. */
export function tunnelMac(nodeAddress: string): string {
  const bytes = nodeAddress.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return ["02", "42", ...bytes].join(":");
}

/** Lines for `ip -batch -` that make every route of a plan. `uplink` is the interface of the node's address. */
export function renderRoutes(
  kind: OverlayKind,
  peers: readonly OverlayPeer[],
  uplink: string,
): readonly string[] {
  return peers.flatMap((peer) =>
    kind === "vxlan"
      ? [
          `neigh replace ${peer.gateway} lladdr ${peer.mac} dev ${tunnelLink} nud permanent`,
          `route replace ${peer.podCidr} via ${peer.gateway} dev ${tunnelLink} onlink proto ${routeProtocol}`,
        ]
      : [
          `route replace ${peer.podCidr} via ${peer.nodeAddress} dev ${uplink} proto ${routeProtocol}`,
        ],
  );
}

/** Lines for `bridge -batch -`: through which node each tunnel end is reached. */
export function renderForwarding(peers: readonly OverlayPeer[]): readonly string[] {
  return peers.map(
    ({ mac, nodeAddress }) =>
      `fdb replace ${mac} dev ${tunnelLink} dst ${nodeAddress} self permanent`,
  );
}

/**
 * Lines for `ip -batch -` that take away our routes to ranges that no peer has. `routes` is what
 * `ip -4 route show proto 98` says: the kernel keeps them over a restart of ours, and a link takes its own along.
 */
export function renderStaleRoutes(
  routes: string,
  peers: readonly OverlayPeer[],
): readonly string[] {
  const wanted = new Set(peers.map(({ podCidr }) => podCidr));
  return (
    routes
      .split("\n")
      // Another of our routes, to the Services, leads to no node.
      .filter((line) => line.includes(" via "))
      .map((line) => line.split(" ")[0] ?? "")
      .filter((range) => range.includes("/") && !wanted.has(range))
      .map((range) => `route del ${range} proto ${routeProtocol}`)
  );
}

/** Lines for `bridge -batch -` that forget the ends of nodes that left. */
export function renderStaleForwarding(
  entries: string,
  peers: readonly OverlayPeer[],
): readonly string[] {
  const wanted = new Set(peers.map(({ mac }) => mac));
  return entries.split("\n").flatMap((line) => {
    const [, mac = "", address = ""] = /^(\S+) dst (\S+) /.exec(line) ?? [];
    return mac === "" || wanted.has(mac)
      ? []
      : [`fdb del ${mac} dev ${tunnelLink} dst ${address} self`];
  });
}
