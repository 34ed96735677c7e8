import { createHash } from "node:crypto";
import type { ProxyNetwork } from "../proxy-backend.ts";
import {
  type Frontend,
  frontendId,
  type ServiceTable,
  type TableChange,
} from "../service-table.ts";

/**
 * The rules of some frontends as values: what is declared once, and the elements and chains that come and go with Services.
 *
 * One verdict map sends a packet to the chain for as many back ends as its frontend has; that chain draws a
 * number and looks the back end up in one map for all frontends. So a Service is a few map elements and no
 * chain of its own, and a change touches what changed. Only frontends with session affinity have chains.
 */
export interface NftablesPlan {
  /**
   * Up to how many back ends a frontend may have with the chains that are declared. nft cannot add a rule that
   * looks into a map with a drawn number after that map was declared, so a plan that needs more replaces the whole.
   */
  readonly backendsMax: number;
  /** Chains of single frontends, with their rules, in an order in which none refers to a later one. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Sets that remember clients, with their time-out in seconds. */
  readonly affinitySets: ReadonlyMap<string, number>;
  /** Elements by map or set: key → value ("" in a set). */
  readonly elements: Readonly<Record<ElementHolder, ReadonlyMap<string, string>>>;
}

export type ElementHolder =
  | "services"
  | "node-ports"
  | "unserved"
  | "unserved-node-ports"
  | "backends"
  | "node-backends";

/** The set of pods' addresses by which a pod is known that reached itself through its Service. */
const hairpins = "hairpins";

/** The table that holds every rule of the proxy; nothing else writes to it. */
export const nftTable = "mini8s-proxy";

/** As kube-proxy's: a packet that must be masqueraded when it leaves. */
const masqueradeMark = "0x4000";
const setMark = `meta mark set meta mark or ${masqueradeMark}`;

const declaredBackendsMin = 8;

/** See `NftablesPlan.backendsMax`: doubled as often as it takes, so that it seldom grows. */
export function backendsMaxOf(table: ServiceTable): number {
  let backendsMax = declaredBackendsMin;
  for (const { backends } of table) while (backendsMax < backends.length) backendsMax *= 2;
  return backendsMax;
}

export function planNftables(table: ServiceTable): NftablesPlan {
  const chains = new Map<string, readonly string[]>();
  const affinitySets = new Map<string, number>();
  const elements: Record<ElementHolder, Map<string, string>> = {
    services: new Map(),
    "node-ports": new Map(),
    unserved: new Map(),
    "unserved-node-ports": new Map(),
    backends: new Map(),
    "node-backends": new Map(),
  };
  for (const frontend of table) {
    const onNodePort = frontend.kind === "node-port";
    const key = matchKey(frontend);
    if (frontend.backends.length === 0) {
      elements[onNodePort ? "unserved-node-ports" : "unserved"].set(
        key,
        `goto ${frontend.whenEmpty}-packet`,
      );
      continue;
    }
    const chain =
      frontend.affinitySeconds > 0
        ? addAffinityChains(frontend, chains, affinitySets)
        : addBackends(frontend, elements[onNodePort ? "node-backends" : "backends"]);
    elements[onNodePort ? "node-ports" : "services"].set(key, `goto ${chain}`);
  }
  return { backendsMax: backendsMaxOf(table), chains, affinitySets, elements };
}

function matchKey({ kind, address, protocol, port }: Frontend): string {
  return kind === "node-port" ? `${protocol} . ${port}` : `${address} . ${protocol} . ${port}`;
}

/** Returns the chain that draws from them. */
function addBackends(frontend: Frontend, backends: Map<string, string>): string {
  for (const [index, { address, port }] of frontend.backends.entries()) {
    backends.set(`${matchKey(frontend)} . ${index}`, `${address} . ${port}`);
  }
  const pick = frontend.kind === "node-port" ? "pick-node" : "pick";
  return `${frontend.masquerade ? "masquerade-" : ""}${pick}-${frontend.backends.length}`;
}

/** For each count of back ends a chain that draws one of so many, and one that first asks for masquerading. */
function pickChains(backendsMax: number): readonly (readonly [name: string, rule: string])[] {
  const chains: [string, string][] = [];
  for (let count = 1; count <= backendsMax; count++) {
    const draw = (match: string, map: string) =>
      `dnat ip to ${match} . numgen random mod ${count} map ${map}`;
    chains.push([`pick-${count}`, draw("ip daddr . meta l4proto . th dport", "@backends")]);
    chains.push([`pick-node-${count}`, draw("meta l4proto . th dport", "@node-backends")]);
    for (const name of [`pick-${count}`, `pick-node-${count}`]) {
      chains.push([`masquerade-${name}`, `${setMark} goto ${name}`]);
    }
  }
  return chains;
}

/** A chain per back end that remembers the client, as kube-proxy's; before them, one that asks who is remembered. */
function addAffinityChains(
  frontend: Frontend,
  chains: Map<string, readonly string[]>,
  affinitySets: Map<string, number>,
): string {
  // A set keeps the time-out that it was made with: another time is another name.
  const id = createHash("sha256")
    .update(`${frontendId(frontend)} ${frontend.affinitySeconds}`)
    .digest("hex")
    .slice(0, 12);
  const remembered: string[] = [];
  const draws: string[] = [];
  for (const [index, { address, port }] of frontend.backends.entries()) {
    const name = `${id}-${address}-${port}`;
    affinitySets.set(`clients-${name}`, frontend.affinitySeconds);
    chains.set(`backend-${name}`, [
      `update @clients-${name} { ip saddr }`,
      `meta l4proto ${frontend.protocol} dnat ip to ${address}:${port}`,
    ]);
    remembered.push(`ip saddr @clients-${name} goto backend-${name}`);
    draws.push(`${index} : goto backend-${name}`);
  }
  const name = `affinity-${id}`;
  chains.set(name, [
    ...remembered,
    `numgen random mod ${draws.length} vmap { ${draws.join(", ")} }`,
  ]);
  if (!frontend.masquerade) return name;
  chains.set(`masquerade-${name}`, [`${setMark} goto ${name}`]);
  return `masquerade-${name}`;
}

/** The elements of each holder are as concatenations; a back end's key ends in the number that was drawn. */
const holders: Readonly<Record<ElementHolder, string>> = {
  services: "map %s { type ipv4_addr . inet_proto . inet_service : verdict; }",
  "node-ports": "map %s { type inet_proto . inet_service : verdict; }",
  unserved: "map %s { type ipv4_addr . inet_proto . inet_service : verdict; }",
  "unserved-node-ports": "map %s { type inet_proto . inet_service : verdict; }",
  backends:
    "map %s { typeof ip daddr . meta l4proto . th dport . numgen random mod 65536 : ip daddr . th dport; }",
  "node-backends":
    "map %s { typeof meta l4proto . th dport . numgen random mod 65536 : ip daddr . th dport; }",
};

/** How many frontends have a back end of each address: one is in the set of hairpins as long as any has. */
export type AddressUses = ReadonlyMap<string, number>;

/** `uses` after `change`: what was counted for frontends that are gone is taken off. */
export function countAddresses(uses: AddressUses, change: TableChange): AddressUses {
  const counted = new Map(uses);
  const add = (table: ServiceTable, by: 1 | -1) => {
    for (const { backends } of table) {
      for (const { address } of backends) {
        const count = (counted.get(address) ?? 0) + by;
        if (count === 0) counted.delete(address);
        else counted.set(address, count);
      }
    }
  };
  add(change.before, -1);
  add(change.after, 1);
  return counted;
}

/** What `change` does to the set of hairpins, given the uses before and after it. */
export function renderHairpins(
  before: AddressUses,
  after: AddressUses,
  change: TableChange,
): readonly string[] {
  const touched = new Set(
    [...change.before, ...change.after].flatMap(({ backends }) =>
      backends.map(({ address }) => address),
    ),
  );
  const gone = [...touched].filter((address) => before.has(address) && !after.has(address));
  const come = [...touched].filter((address) => !before.has(address) && after.has(address));
  const command = (verb: string, addresses: readonly string[]) =>
    addresses.length === 0
      ? []
      : [
          `${verb} element ip ${nftTable} ${hairpins} { ${addresses.map((address) => `${address} . ${address}`).join(", ")} }`,
        ];
  return [...command("delete", gone), ...command("add", come)];
}

/** The whole table anew, as one transaction for `nft -f -`: packets see the old rules or the new ones. */
export function renderWhole(table: ServiceTable, network: ProxyNetwork): string {
  const plan = planNftables(table);
  const everything = { before: [], after: table };
  const onNode = "fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap";
  const chain = (name: string, hook: string, rules: readonly string[]) => [
    `add chain ip ${nftTable} ${name}${hook === "" ? "" : ` { ${hook}; policy accept; }`}`,
    ...rules.map((rule) => `add rule ip ${nftTable} ${name} ${rule}`),
  ];
  const refuse = [
    "ct state new ip daddr . meta l4proto . th dport vmap @unserved",
    `ct state new ${onNode} @unserved-node-ports`,
  ];
  const lines = [
    `add table ip ${nftTable}`,
    `delete table ip ${nftTable}`,
    `add table ip ${nftTable}`,
    ...Object.entries(holders).map(([name, form]) => {
      const [type = "", ...rest] = form.replace("%s", "").split(" ");
      return `add ${type} ip ${nftTable} ${name} ${rest.join(" ").trim()}`;
    }),
    `add set ip ${nftTable} ${hairpins} { type ipv4_addr . ipv4_addr; }`,
    ...chain("reject-packet", "", ["reject"]),
    ...chain("drop-packet", "", ["drop"]),
    ...pickChains(plan.backendsMax).flatMap(([name, rule]) => chain(name, "", [rule])),
    ...chain("dispatch", "", [
      "ip daddr . meta l4proto . th dport vmap @services",
      `${onNode} @node-ports`,
    ]),
    ...chain("prerouting", "type nat hook prerouting priority -100", ["jump dispatch"]),
    ...chain("output", "type nat hook output priority -100", ["jump dispatch"]),
    // Before the address translation, where a frontend still has its own address.
    ...chain("refuse-forwarded", "type filter hook prerouting priority -110", refuse),
    ...chain("refuse-own", "type filter hook output priority -110", refuse),
    ...chain("postrouting", "type nat hook postrouting priority 100", [
      "ct status dnat ip saddr . ip daddr @hairpins masquerade",
      `meta mark and ${masqueradeMark} == ${masqueradeMark} masquerade`,
      `ct status dnat ct original ip daddr ${network.serviceCidr} ip saddr != ${network.clusterCidr} masquerade`,
    ]),
    ...renderChange(emptyPlan, plan),
    ...renderHairpins(new Map(), countAddresses(new Map(), everything), everything),
  ];
  return `${lines.join("\n")}\n`;
}

const emptyPlan: NftablesPlan = planNftables([]);

/**
 * What leads from one plan to another within the same declared chains, as one transaction; no lines where nothing
 * changed. No two frontends share a chain or an element, so plans of only those that changed will do.
 */
export function renderChange(before: NftablesPlan, after: NftablesPlan): readonly string[] {
  const lines: string[] = [];
  for (const [name, seconds] of after.affinitySets) {
    if (!before.affinitySets.has(name)) {
      lines.push(
        `add set ip ${nftTable} ${name} { type ipv4_addr; flags dynamic,timeout; timeout ${seconds}s; }`,
      );
    }
  }
  for (const [name, rules] of after.chains) {
    const old = before.chains.get(name);
    if (old?.join("\n") === rules.join("\n")) continue;
    lines.push(
      old === undefined ? `add chain ip ${nftTable} ${name}` : `flush chain ip ${nftTable} ${name}`,
    );
    lines.push(...rules.map((rule) => `add rule ip ${nftTable} ${name} ${rule}`));
  }
  for (const holder of Object.keys(holders) as ElementHolder[]) {
    lines.push(...renderElements(holder, before.elements[holder], after.elements[holder]));
  }
  // Last, when nothing refers to them any more: those that lead to others first.
  for (const name of [...before.chains.keys()].reverse()) {
    if (!after.chains.has(name)) lines.push(`delete chain ip ${nftTable} ${name}`);
  }
  for (const name of before.affinitySets.keys()) {
    if (!after.affinitySets.has(name)) lines.push(`delete set ip ${nftTable} ${name}`);
  }
  return lines;
}

function renderElements(
  holder: ElementHolder,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  const gone: string[] = [];
  const come: string[] = [];
  for (const [key, value] of before) if (after.get(key) !== value) gone.push(key);
  for (const [key, value] of after) {
    if (before.get(key) !== value) come.push(value === "" ? key : `${key} : ${value}`);
  }
  const command = (verb: string, items: readonly string[]) =>
    items.length === 0 ? [] : [`${verb} element ip ${nftTable} ${holder} { ${items.join(", ")} }`];
  return [...command("delete", gone), ...command("add", come)];
}
