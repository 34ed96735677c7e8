import type { Commands } from "../../host/exec.ts";
import type { ProxyBackend, ProxyNetwork } from "../proxy-backend.ts";
import {
  type IptablesPlan,
  iptablesHooks,
  isProxyChain,
  planIptables,
  renderIptables,
} from "./plan.ts";

/** Serves the table by iptables: one `iptables-restore` a change, of the chains that changed. */
export function createIptablesBackend(deps: {
  readonly commands: Commands;
  readonly network: ProxyNetwork;
}): ProxyBackend {
  const { commands, network } = deps;
  let applied: IptablesPlan | undefined;
  return {
    mode: "iptables",
    async isInPlace(signal) {
      for (const [table, chain, rule] of iptablesHooks) {
        if (!(await isHooked(commands, table, chain, rule, signal))) return false;
      }
      return true;
    },
    forget() {
      applied = undefined;
    },
    async apply(table, signal) {
      const plan = planIptables(table, network);
      if (applied === undefined) {
        // The last run of mini8s may have left chains behind that this plan does not know.
        const before = await readOwnChains(commands, signal);
        await restore(commands, renderIptables(before, plan), signal);
        await addHooks(commands, signal);
      } else {
        const change = renderIptables(applied, plan);
        applied = undefined;
        await restore(commands, change, signal);
      }
      applied = plan;
    },
  };
}

async function restore(commands: Commands, input: string, signal: AbortSignal): Promise<void> {
  if (input === "") return;
  await commands.run("iptables-restore", ["--wait", "--noflush"], { input, signal });
}

async function addHooks(commands: Commands, signal: AbortSignal): Promise<void> {
  for (const [table, chain, rule] of iptablesHooks) {
    if (await isHooked(commands, table, chain, rule, signal)) continue;
    // In front: a foreign rule that accepts or masquerades early must not come first.
    const args = ["--wait", "-t", table, "-I", chain, ...rule.split(" ")];
    await commands.run("iptables", args, { signal });
  }
}

async function isHooked(
  commands: Commands,
  table: string,
  chain: string,
  rule: string,
  signal: AbortSignal,
): Promise<boolean> {
  const args = ["--wait", "-t", table, "-C", chain, ...rule.split(" ")];
  return (await commands.attempt("iptables", args, { signal })).exitCode === 0;
}

/**
 * Our chains as they are in the kernel; not MINI8S-EGRESS, which is the network's and would not let itself be
 * removed while it is in use: with rules that match no plan, so that each is written anew. */
async function readOwnChains(commands: Commands, signal?: AbortSignal): Promise<IptablesPlan> {
  const found: Record<"nat" | "filter", Map<string, readonly string[]>> = {
    nat: new Map(),
    filter: new Map(),
  };
  const { stdout } = await commands.run(
    "iptables-save",
    [],
    signal === undefined ? {} : { signal },
  );
  let table: "nat" | "filter" | undefined;
  for (const line of stdout.split("\n")) {
    if (line.startsWith("*"))
      table = line === "*nat" ? "nat" : line === "*filter" ? "filter" : undefined;
    const chain = /^:(\S+)/.exec(line)?.[1];
    if (chain !== undefined && isProxyChain(chain) && table !== undefined)
      found[table].set(chain, ["(unknown)"]);
  }
  return found;
}

/** Removes every rule and chain of this back end; nothing happens where there is none. */
export async function removeIptables(commands: Commands): Promise<void> {
  const chains = await readOwnChains(commands);
  if (chains.nat.size === 0 && chains.filter.size === 0) return;
  for (const [table, chain, rule] of iptablesHooks) {
    await commands.attempt("iptables", ["--wait", "-t", table, "-D", chain, ...rule.split(" ")]);
  }
  const input = renderIptables(chains, { nat: new Map(), filter: new Map() });
  await commands.run("iptables-restore", ["--wait", "--noflush"], { input });
}
