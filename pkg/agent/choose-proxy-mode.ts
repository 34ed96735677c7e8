import { MendableError } from "../base/mendable-error.ts";
import type { Commands } from "./host/exec.ts";
import { nftablesUnusable } from "./proxy/nftables/nftables.ts";

export interface ProxyChoice {
  readonly mode: "nftables" | "iptables";
  /** Why this one: for the log and the node's annotation. */
  readonly reason: string;
}

/** What was asked for, where the machine can do it; else what it can do, and why. Throws where it can do neither. */
export async function chooseProxyMode(
  asked: "nftables" | "iptables" | undefined,
  commands: Commands,
): Promise<ProxyChoice> {
  if (asked === "iptables") {
    if (!(await hasIptables(commands)))
      throw new MendableError(
        "--proxy-mode asks for iptables, which is not on this machine: run apt-get install iptables",
      );
    return { mode: "iptables", reason: "asked for by --proxy-mode" };
  }
  const problem = await nftablesUnusable(commands);
  if (problem === undefined) {
    return {
      mode: "nftables",
      reason: asked === undefined ? "the default" : "asked for by --proxy-mode",
    };
  }
  if (!(await hasIptables(commands))) {
    throw new MendableError(
      `neither nftables nor iptables can be used: ${problem}; run apt-get install nftables iptables`,
    );
  }
  return { mode: "iptables", reason: `nftables cannot be used: ${problem}` };
}

async function hasIptables(commands: Commands): Promise<boolean> {
  const missing = { exitCode: 127 };
  return (await commands.attempt("iptables", ["--version"]).catch(() => missing)).exitCode === 0;
}
