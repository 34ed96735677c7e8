import type { Commands } from "../../host/exec.ts";
import type { ProxyBackend, ProxyNetwork } from "../proxy-backend.ts";
import { type NftablesPlan, nftTable, planNftables, renderChange, renderWhole } from "./plan.ts";

/** Serves the table by nftables maps: the whole at first, then one small transaction for each change. */
export function createNftablesBackend(deps: {
  readonly commands: Commands;
  readonly network: ProxyNetwork;
}): ProxyBackend {
  let applied: NftablesPlan | undefined;
  return {
    mode: "nftables",
    async isInPlace(signal) {
      const { exitCode } = await deps.commands.attempt(
        "nft",
        ["--terse", "list", "chain", "ip", nftTable, "prerouting"],
        { signal },
      );
      return exitCode === 0;
    },
    forget() {
      applied = undefined;
    },
    async apply(table, signal) {
      const plan = planNftables(table);
      const change =
        applied?.backendsMax === plan.backendsMax ? renderChange(applied, plan) : undefined;
      if (change?.length === 0) return;
      const input =
        change === undefined ? renderWhole(plan, deps.network) : `${change.join("\n")}\n`;
      // Unknown until nft has answered: a failure leaves the old rules, and the next call replaces all.
      applied = undefined;
      await deps.commands.run("nft", ["-f", "-"], { input, signal });
      applied = plan;
    },
  };
}

/** Removes every rule of this back end; nothing happens where there is none. */
export async function removeNftables(commands: Commands): Promise<void> {
  await commands.attempt("nft", ["delete", "table", "ip", nftTable]);
}

/** Why nftables cannot be used here, or undefined where it can. */
export async function nftablesUnusable(commands: Commands): Promise<string | undefined> {
  try {
    const { exitCode, stderr } = await commands.attempt("nft", ["--check", "-f", "-"], {
      input: renderWhole(planNftables([]), {
        clusterCidr: "10.42.0.0/16",
        serviceCidr: "10.43.0.0/16",
      }),
    });
    return exitCode === 0 ? undefined : `nft refuses the rules: ${stderr.trim().split("\n")[0]}`;
  } catch (caught) {
    return caught instanceof Error ? caught.message : String(caught);
  }
}
