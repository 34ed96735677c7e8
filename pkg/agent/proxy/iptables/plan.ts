import { createHash } from "node:crypto";
import type { ProxyNetwork } from "../proxy-backend.ts";
import { type Frontend, frontendId, type ServiceTable } from "../service-table.ts";

/** Our chains and their rules, by table: kube-proxy's layout under names of our own. */
export interface IptablesPlan {
  readonly nat: ReadonlyMap<string, readonly string[]>;
  readonly filter: ReadonlyMap<string, readonly string[]>;
}

/** Where the kernel's own chains jump into ours: table, built-in chain, the rest of the rule. */
export const iptablesHooks: readonly (readonly [
  table: "nat" | "filter",
  chain: string,
  rule: string,
])[] = [
  ["nat", "PREROUTING", "-m comment --comment mini8s -j MINI8S-SERVICES"],
  ["nat", "OUTPUT", "-m comment --comment mini8s -j MINI8S-SERVICES"],
  ["nat", "POSTROUTING", "-m comment --comment mini8s -j MINI8S-POSTROUTING"],
  ["filter", "INPUT", "-m conntrack --ctstate NEW -m comment --comment mini8s -j MINI8S-UNSERVED"],
  [
    "filter",
    "FORWARD",
    "-m conntrack --ctstate NEW -m comment --comment mini8s -j MINI8S-UNSERVED",
  ],
  ["filter", "OUTPUT", "-m conntrack --ctstate NEW -m comment --comment mini8s -j MINI8S-UNSERVED"],
];

/** Whether a chain in the kernel is one of those that a plan holds. */
export function isProxyChain(name: string): boolean {
  return /^MINI8S-(SERVICES|NODEPORTS|MARK|POSTROUTING|UNSERVED|SVC-.*|SEP-.*)$/.test(name);
}

const mark = "0x4000/0x4000";
const toThisNode = "-m addrtype --dst-type LOCAL ! -d 127.0.0.0/8";

export function planIptables(table: ServiceTable, network: ProxyNetwork): IptablesPlan {
  const nat = new Map<string, readonly string[]>();
  const dispatch: string[] = [];
  const nodePorts: string[] = [];
  const unserved: string[] = [];
  for (const frontend of table) {
    const match = `-p ${frontend.protocol} -m ${frontend.protocol} --dport ${frontend.port}`;
    const isNodePort = frontend.kind === "node-port";
    const to = isNodePort ? "" : `-d ${frontend.address}/32 `;
    if (frontend.backends.length === 0) {
      const verdict = frontend.whenEmpty === "drop" ? "DROP" : "REJECT";
      unserved.push(
        `${isNodePort ? `${toThisNode} ` : to}${match} ${comment(frontend)} -j ${verdict}`,
      );
      continue;
    }
    const chain = `MINI8S-SVC-${shortHash(frontendId(frontend))}`;
    (isNodePort ? nodePorts : dispatch).push(`${to}${match} ${comment(frontend)} -j ${chain}`);
    addServiceChains(frontend, chain, network, nat);
  }
  // Last: a node port must not hide a Service's own address and port.
  nat.set("MINI8S-NODEPORTS", nodePorts);
  nat.set("MINI8S-SERVICES", [...dispatch, `${toThisNode} -j MINI8S-NODEPORTS`]);
  nat.set("MINI8S-MARK", [`-j MARK --set-xmark ${mark}`]);
  nat.set("MINI8S-POSTROUTING", [
    `-m mark ! --mark ${mark} -j RETURN`,
    `-j MARK --set-xmark 0x0/0x4000`,
    "-j MASQUERADE --random-fully",
  ]);
  return { nat, filter: new Map([["MINI8S-UNSERVED", unserved]]) };
}

function addServiceChains(
  frontend: Frontend,
  chain: string,
  network: ProxyNetwork,
  nat: Map<string, readonly string[]>,
): void {
  const rules: string[] = [];
  if (frontend.masquerade) rules.push("-j MINI8S-MARK");
  // The node's own packets, and strangers' that are routed through it, must find their way back to it. Only for
  // cluster IPs: who comes from outside under `externalTrafficPolicy: Local` is seen by the pod.
  else if (frontend.kind === "address")
    rules.push(`! -s ${network.clusterCidr} -d ${network.serviceCidr} -j MINI8S-MARK`);
  const endpoints = frontend.backends.map((backend) => ({
    backend,
    chain: `MINI8S-SEP-${shortHash(`${frontendId(frontend)} ${backend.address}:${backend.port}`)}`,
  }));
  if (frontend.affinitySeconds > 0) {
    for (const endpoint of endpoints) {
      rules.push(
        `-m recent --name ${endpoint.chain} --rcheck --seconds ${frontend.affinitySeconds} --reap -j ${endpoint.chain}`,
      );
    }
  }
  for (const [index, endpoint] of endpoints.entries()) {
    const left = endpoints.length - index;
    const draw =
      left === 1 ? "" : `-m statistic --mode random --probability ${(1 / left).toFixed(10)} `;
    rules.push(`${draw}-j ${endpoint.chain}`);
  }
  for (const { backend, chain: name } of endpoints) {
    const remember = frontend.affinitySeconds > 0 ? `-m recent --name ${name} --set ` : "";
    nat.set(name, [
      `-s ${backend.address}/32 -j MINI8S-MARK`,
      `-p ${frontend.protocol} ${remember}-m ${frontend.protocol} -j DNAT --to-destination ${backend.address}:${backend.port}`,
    ]);
  }
  nat.set(chain, rules);
}

function comment({ service }: Frontend): string {
  return `-m comment --comment "${service}"`;
}

/** 16 characters, as kube-proxy's chains: a chain's name may have 28. */
function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16).toUpperCase();
}

/** What leads from one plan to another, as one text for `iptables-restore --noflush`; "" where nothing changed. */
export function renderIptables(before: IptablesPlan | undefined, after: IptablesPlan): string {
  const parts = (["nat", "filter"] as const).map((table) => {
    const old = before?.[table] ?? new Map<string, readonly string[]>();
    const changed = [...after[table]].filter(
      ([name, rules]) => old.get(name)?.join("\n") !== rules.join("\n"),
    );
    const gone = [...old.keys()].filter((name) => !after[table].has(name));
    if (changed.length === 0 && gone.length === 0) return "";
    const lines = [
      `*${table}`,
      // Naming a chain makes it, or empties it.
      ...[...changed.map(([name]) => name), ...gone].map((name) => `:${name} - [0:0]`),
      ...changed.flatMap(([name, rules]) => rules.map((rule) => `-A ${name} ${rule}`)),
      ...gone.map((name) => `-X ${name}`),
      "COMMIT",
    ];
    return `${lines.join("\n")}\n`;
  });
  return parts.join("");
}
