import type { Commands } from "../host/exec.ts";

/** The table and the chain that hold the rules of this file. */
const nftTable = "mini8s-network";
const iptablesChain = "MINI8S-EGRESS";

/** Which packets of pods leave under the node's own address: those to anything that is no pod. */
export interface Egress {
  readonly podCidr: string;
  readonly clusterCidr: string;
}

export function renderNftEgress({ podCidr, clusterCidr }: Egress): string {
  return [
    `add table ip ${nftTable}`,
    `delete table ip ${nftTable}`,
    `add table ip ${nftTable}`,
    `add chain ip ${nftTable} postrouting { type nat hook postrouting priority 100; policy accept; }`,
    `add rule ip ${nftTable} postrouting ip saddr ${podCidr} ip daddr != { ${clusterCidr}, 224.0.0.0/4 } masquerade random`,
    "",
  ].join("\n");
}

export function renderIptablesEgress({ podCidr, clusterCidr }: Egress): string {
  return [
    "*nat",
    `:${iptablesChain} - [0:0]`,
    `-A ${iptablesChain} -d ${clusterCidr} -j RETURN`,
    `-A ${iptablesChain} -d 224.0.0.0/4 -j RETURN`,
    `-A ${iptablesChain} -s ${podCidr} -j MASQUERADE --random-fully`,
    "COMMIT",
    "",
  ].join("\n");
}

const iptablesHook = ["POSTROUTING", "-m", "comment", "--comment", "mini8s", "-j", iptablesChain];

/** False where somebody else has flushed the rules that `applyEgress` made. */
export async function isEgressInPlace(
  commands: Commands,
  tool: "nftables" | "iptables",
  signal: AbortSignal,
): Promise<boolean> {
  const { exitCode } =
    tool === "nftables"
      ? await commands.attempt("nft", ["list", "chain", "ip", nftTable, "postrouting"], { signal })
      : await commands.attempt("iptables", ["--wait", "-t", "nat", "-C", ...iptablesHook], {
          signal,
        });
  return exitCode === 0;
}

/** Lets pods reach the world, by the tool that also programs the Services. */
export async function applyEgress(
  commands: Commands,
  tool: "nftables" | "iptables",
  egress: Egress,
  signal: AbortSignal,
): Promise<void> {
  if (tool === "nftables") {
    await commands.run("nft", ["-f", "-"], { input: renderNftEgress(egress), signal });
    return;
  }
  await commands.run("iptables-restore", ["--wait", "--noflush"], {
    input: renderIptablesEgress(egress),
    signal,
  });
  const { exitCode } = await commands.attempt(
    "iptables",
    ["--wait", "-t", "nat", "-C", ...iptablesHook],
    { signal },
  );
  if (exitCode !== 0)
    await commands.run("iptables", ["--wait", "-t", "nat", "-A", ...iptablesHook], { signal });
}

/** Removes the rules of this file that one of `tools` made. */
export async function removeEgress(
  commands: Commands,
  tools: readonly ("nftables" | "iptables")[] = ["nftables", "iptables"],
): Promise<void> {
  // Without nft on the machine there is nothing of it to take away.
  if (tools.includes("nftables"))
    await commands.attempt("nft", ["delete", "table", "ip", nftTable]).catch(() => {});
  if (!tools.includes("iptables")) return;
  const { exitCode } = await commands.attempt("iptables", [
    "--wait",
    "-t",
    "nat",
    "-D",
    ...iptablesHook,
  ]);
  if (exitCode !== 0) return;
  await commands.attempt("iptables", ["--wait", "-t", "nat", "-F", iptablesChain]);
  await commands.attempt("iptables", ["--wait", "-t", "nat", "-X", iptablesChain]);
}
