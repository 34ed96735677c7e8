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

interface NftObject {
  readonly table?: { readonly family: string; readonly name: string };
  readonly chain?: {
    readonly family: string;
    readonly table: string;
    readonly name: string;
    readonly type?: string;
    readonly policy?: string;
  };
}

/** Tables of iptables' names that hold nothing but empty base chains that accept: they change no packet's way. */
async function removeEmptyTables(commands: Commands): Promise<void> {
  const { exitCode, stdout } = await commands.attempt("nft", ["--json", "list", "ruleset", "ip"]);
  if (exitCode !== 0) return;
  const { nftables } = JSON.parse(stdout) as { readonly nftables: readonly NftObject[] };
  for (const name of emptyIptablesTables(nftables))
    await commands.attempt("nft", ["delete", "table", "ip", name]);
}

export function emptyIptablesTables(ruleset: readonly NftObject[]): readonly string[] {
  return ["nat", "filter"].filter((name) => {
    const inside = ruleset.filter((object) =>
      Object.values(object).some((value: unknown) => (value as { table?: string }).table === name),
    );
    const there = ruleset.some(({ table }) => table?.name === name);
    const idle = inside.every(
      ({ chain }) => chain?.type !== undefined && chain.policy === "accept",
    );
    return there && idle;
  });
}
