import type { Commands } from "../../host/exec.ts";
import type { ProxyBackend, ProxyNetwork } from "../proxy-backend.ts";
import { byId, changeOf, type Frontend } from "../service-table.ts";
import {
  type AddressUses,
  backendsMaxOf,
  countAddresses,
  nftTable,
  planNftables,
  renderChange,
  renderHairpins,
  renderWhole,
} from "./plan.ts";

/** What the kernel holds: the frontends, and what must be counted over all of them. */
interface Applied {
  readonly frontends: ReadonlyMap<string, Frontend>;
  readonly uses: AddressUses;
  /** See `NftablesPlan.backendsMax`. */
  readonly backendsMax: number;
}

/** No chain is declared, so whatever comes is more than fits. */
const nothing: Applied = { frontends: new Map(), uses: new Map(), backendsMax: 0 };

/** Serves the table by nftables maps: the whole at first, then one small transaction for each change. */
export function createNftablesBackend(deps: {
  readonly commands: Commands;
  readonly network: ProxyNetwork;
}): ProxyBackend {
  let applied: Applied | undefined;
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
      const known = applied ?? nothing;
      const frontends = byId(table);
      const change = changeOf(known.frontends, frontends);
      const uses = countAddresses(known.uses, change);
      let input: string;
      let { backendsMax } = known;
      if (backendsMaxOf(change.after) > backendsMax) {
        input = renderWhole(table, deps.network);
        backendsMax = backendsMaxOf(table);
      } else {
        // Of ten thousand Services only those that changed are planned and rendered.
        const lines = [
          ...renderChange(planNftables(change.before), planNftables(change.after)),
          ...renderHairpins(known.uses, uses, change),
        ];
        if (lines.length === 0) return;
        input = `${lines.join("\n")}\n`;
      }
      // Unknown until nft has answered: a failure leaves the old rules, and the next call replaces all.
      applied = undefined;
      await deps.commands.run("nft", ["-f", "-"], { input, signal });
      applied = { frontends, uses, backendsMax };
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
      input: renderWhole([], {
        clusterCidr: "10.42.0.0/16",
        serviceCidr: "10.43.0.0/16",
      }),
    });
    return exitCode === 0 ? undefined : `nft refuses the rules: ${stderr.trim().split("\n")[0]}`;
  } catch (caught) {
    return caught instanceof Error ? caught.message : String(caught);
  }
}
