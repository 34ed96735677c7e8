import type { Commands } from "../host/exec.ts";

/**
 * CNI's portmap plugin takes its pods' chains away, but leaves the chains that led there, and iptables over nftables
 * leaves its tables. Both go where nothing is in them any more; they are made again when somebody needs them.
 */
export async function removePortMapLeftovers(commands: Commands): Promise<void> {
  const { stdout } = await commands.run("iptables-save", ["-t", "nat"]);
  const input = planPortMapRemoval(stdout);
  if (input !== undefined)
    await commands.run("iptables-restore", ["--wait", "--noflush"], { input });
  await removeEmptyTables(commands);
}

/** Input for `iptables-restore --noflush`; undefined where there is nothing, or somebody still maps ports. */
export function planPortMapRemoval(saved: string): string | undefined {
  const lines = saved.split("\n");
  const chains = lines.flatMap((line) => /^:(CNI-\S+)/.exec(line)?.[1] ?? []);
  const shared = chains.filter((chain) => chain.startsWith("CNI-HOSTPORT-"));
  if (shared.length === 0 || chains.some((chain) => chain.startsWith("CNI-DN-"))) return undefined;
  const jumps = lines.filter((line) =>
    shared.some((chain) => line.startsWith("-A ") && line.endsWith(` -j ${chain}`)),
  );
  return [
    "*nat",
    ...jumps.map((line) => line.replace(/^-A /, "-D ")),
    ...shared.map((chain) => `-F ${chain}`),
    ...shared.map((chain) => `-X ${chain}`),
    "COMMIT",
    "",
  ].join("\n");
}

interface NftTable {
  readonly family: string;
  readonly name: string;
}

interface NftChain extends NftTable {
  readonly table: string;
  /** Only base chains have one. */
  readonly type?: string;
  readonly policy?: string;
}

/** One line of `nft --json list ruleset`: one of these, or a rule, a map … with family and table. */
interface NftObject {
  readonly table?: NftTable;
  readonly chain?: NftChain;
  readonly rule?: { readonly family: string; readonly table: string };
}

/** An empty table changes no packet's way. */
async function removeEmptyTables(commands: Commands): Promise<void> {
  const { exitCode, stdout } = await commands.attempt("nft", ["--json", "list", "ruleset"]);
  if (exitCode !== 0) return;
  const { nftables } = JSON.parse(stdout) as { readonly nftables: readonly NftObject[] };
  for (const { family, name } of emptyIptablesTables(nftables))
    await commands.attempt("nft", ["delete", "table", family, name]);
}

/** Tables of iptables' names and ip6tables' that hold nothing but chains that accept and have no rules. */
export function emptyIptablesTables(ruleset: readonly NftObject[]): readonly NftTable[] {
  const tables = ruleset.flatMap(({ table }) => table ?? []);
  return tables.filter(({ family, name }) => {
    if (!["ip", "ip6"].includes(family) || !["nat", "filter"].includes(name)) return false;
    const inside = ruleset.filter((object) =>
      Object.values(object).some(
        (part: Partial<NftChain>) => part.family === family && part.table === name,
      ),
    );
    return inside.every(({ chain }) => chain?.type !== undefined && chain.policy === "accept");
  });
}
