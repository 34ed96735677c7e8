import type { Node } from "../../api/generated/core-v1.generated.ts";
import { parseQuantity } from "../../api/quantity.ts";
import { type Amounts, amountsOf, type HostPort, type PodInfo } from "./pod-info.ts";

/** A node with what its pods take of it. */
export interface NodeInfo {
  readonly name: string;
  readonly node: Node;
  readonly allocatable: Amounts;
  readonly podsMax: number;
  readonly podCount: number;
  readonly requested: Amounts;
  readonly assumedUse: { readonly cpuMillis: number; readonly memoryBytes: number };
  readonly hostPorts: readonly HostPort[];
}

/** The nodes and the pods on them, as scheduling sees them: what is decided counts before the API shows it. */
export class Snapshot {
  readonly #nodes = new Map<string, MutableNode>();
  readonly #placed = new Map<string, { readonly info: PodInfo; readonly nodeName: string }>();
  #ready: readonly NodeInfo[] | undefined;

  /** The nodes that exist, in the order in which they came. */
  get nodes(): readonly NodeInfo[] {
    this.#ready ??= [...this.#nodes.values()].filter(isKnown);
    return this.#ready;
  }

  setNode(node: Node): void {
    this.#at(node.metadata.name).setNode(node);
    this.#ready = undefined;
  }

  /** The node's pods stay counted: it may come back, and they may still run. */
  removeNode(name: string): void {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    if (node.podCount === 0) this.#nodes.delete(name);
    else node.setNode(undefined);
    this.#ready = undefined;
  }

  /** Puts the pod on the node, or replaces what was known of it. */
  setPod(info: PodInfo, nodeName: string): void {
    this.removePod(info.uid);
    this.#placed.set(info.uid, { info, nodeName });
    this.#at(nodeName).count(info, 1);
  }

  removePod(uid: string): void {
    const placed = this.#placed.get(uid);
    if (placed === undefined) return;
    this.#placed.delete(uid);
    const node = this.#nodes.get(placed.nodeName);
    node?.count(placed.info, -1);
    if (node?.podCount === 0 && !isKnown(node)) this.#nodes.delete(placed.nodeName);
  }

  /** Where the pod was put. */
  nodeOf(uid: string): string | undefined {
    return this.#placed.get(uid)?.nodeName;
  }

  #at(name: string): MutableNode {
    let node = this.#nodes.get(name);
    if (node === undefined) {
      node = new MutableNode(name);
      this.#nodes.set(name, node);
    }
    return node;
  }
}

function isKnown(node: MutableNode): node is MutableNode & NodeInfo {
  return node.node !== undefined;
}

const nothing: Amounts = {
  cpuMillis: 0,
  memoryBytes: 0,
  ephemeralStorageBytes: 0,
  others: new Map(),
};

class MutableNode {
  readonly name: string;
  node: Node | undefined = undefined;
  allocatable = nothing;
  podsMax = 0;
  podCount = 0;
  readonly requested = {
    cpuMillis: 0,
    memoryBytes: 0,
    ephemeralStorageBytes: 0,
    others: new Map<string, number>(),
  };
  readonly assumedUse = { cpuMillis: 0, memoryBytes: 0 };
  hostPorts: readonly HostPort[] = [];

  constructor(name: string) {
    this.name = name;
  }

  setNode(node: Node | undefined): void {
    this.node = node;
    const { pods, ...rest } = node?.status.allocatable ?? {};
    this.allocatable = amountsOf(
      Object.entries(rest).map(([name, text]) => [name, parseQuantity(text)] as const),
    );
    this.podsMax = Number(pods ?? 0);
  }

  count({ requests, assumedUse, hostPorts }: PodInfo, sign: 1 | -1): void {
    this.podCount += sign;
    this.requested.cpuMillis += sign * requests.cpuMillis;
    this.requested.memoryBytes += sign * requests.memoryBytes;
    this.requested.ephemeralStorageBytes += sign * requests.ephemeralStorageBytes;
    for (const [name, amount] of requests.others) {
      this.requested.others.set(name, (this.requested.others.get(name) ?? 0) + sign * amount);
    }
    this.assumedUse.cpuMillis += sign * assumedUse.cpuMillis;
    this.assumedUse.memoryBytes += sign * assumedUse.memoryBytes;
    if (hostPorts.length === 0) return;
    if (sign === 1) this.hostPorts = [...this.hostPorts, ...hostPorts];
    else this.hostPorts = this.hostPorts.filter((port) => !hostPorts.includes(port));
  }
}
