import type { Node } from "../../api/generated/core-v1.generated.ts";
import type { Labels } from "../../api/labels.ts";
import { parseQuantity } from "../../api/quantity.ts";
import type { Cluster, PlacedPod } from "./cluster.ts";
import type { NodeInfo } from "./node-info.ts";
import { type Amounts, amountsOf, type HostPort, type PodInfo } from "./pod-info.ts";

/** The nodes and the pods on them, as scheduling sees them: what is decided counts before the API shows it. */
export class Snapshot implements Cluster {
  readonly #nodes = new Map<string, MutableNode>();
  readonly #placed = new Map<string, { readonly info: PodInfo; readonly nodeName: string }>();
  readonly #withAffinities = new Map<
    string,
    { readonly info: PodInfo; readonly at: MutableNode }
  >();
  readonly #namespaceLabels: (name: string) => Labels | undefined;
  #ready: readonly NodeInfo[] | undefined;

  constructor(namespaceLabels: (name: string) => Labels | undefined = () => undefined) {
    this.#namespaceLabels = namespaceLabels;
  }

  namespaceLabels(name: string): Labels | undefined {
    return this.#namespaceLabels(name);
  }

  *podsWithAffinities(): Generator<PlacedPod> {
    for (const { info, at } of this.#withAffinities.values()) {
      if (isKnown(at)) yield { info, node: at };
    }
  }

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
    const node = this.#at(nodeName);
    node.count(info, 1);
    if (info.affinities !== undefined) this.#withAffinities.set(info.uid, { info, at: node });
  }

  removePod(uid: string): void {
    const placed = this.#placed.get(uid);
    if (placed === undefined) return;
    this.#placed.delete(uid);
    this.#withAffinities.delete(uid);
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
  readonly requested = {
    cpuMillis: 0,
    memoryBytes: 0,
    ephemeralStorageBytes: 0,
    others: new Map<string, number>(),
  };
  readonly assumedUse = { cpuMillis: 0, memoryBytes: 0 };
  hostPorts: readonly HostPort[] = [];
  readonly pods = new Map<string, PodInfo>();

  constructor(name: string) {
    this.name = name;
  }

  get podCount(): number {
    return this.pods.size;
  }

  setNode(node: Node | undefined): void {
    this.node = node;
    const { pods, ...rest } = node?.status.allocatable ?? {};
    this.allocatable = amountsOf(
      Object.entries(rest).map(([name, text]) => [name, parseQuantity(text)] as const),
    );
    this.podsMax = Number(pods ?? 0);
  }

  count(info: PodInfo, sign: 1 | -1): void {
    const { requests, assumedUse, hostPorts } = info;
    if (sign === 1) this.pods.set(info.uid, info);
    else this.pods.delete(info.uid);
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
