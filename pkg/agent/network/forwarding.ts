import { CommandError, type Commands } from "../host/exec.ts";

const chain = "MINI8S-FORWARD";
const hook = ["FORWARD", "-m", "comment", "--comment", "mini8s", "-j", chain];

/** The cluster's addresses, e.g. 10.42.0.0/16 and 10.43.0.0/16. */
interface ClusterRanges {
  readonly clusterCidr: string;
  readonly serviceCidr: string;
}

/** The chain that lets pods' packets pass, as one text for `iptables-restore --noflush`. */
function renderForwardChain({ clusterCidr, serviceCidr }: ClusterRanges): string {
  return [
    "*filter",
    `:${chain} - [0:0]`,
    // Still to a cluster IP, so without a pod behind it: the proxy refuses it.
    `-A ${chain} -d ${serviceCidr} -j RETURN`,
    `-A ${chain} -s ${clusterCidr} -j ACCEPT`,
    `-A ${chain} -d ${clusterCidr} -j ACCEPT`,
    "COMMIT",
    "",
  ].join("\n");
}

/** Whether what `iptables -S FORWARD` says would refuse packets that no rule names, and does not let ours pass. */
export function needsForwardChain(forward: string): boolean {
  const lines = forward.split("\n");
  const refuses = lines.some(
    (line) => line === "-P FORWARD DROP" || /^-A FORWARD -j (DROP|REJECT)\b/.test(line),
  );
  return refuses && !lines.some((line) => line.endsWith(`-j ${chain}`));
}

/**
 * Lets pods' packets through a firewall that forwards nothing unless told to, as Docker and ufw leave it; where
 * there is none, nothing is done. An accepting rule of nftables would not help: a drop elsewhere is final.
 * "unneeded": there is no iptables here to refuse anything by, so there is no need to look again.
 */
export async function letPodsThrough(
  commands: Commands,
  ranges: ClusterRanges,
  signal: AbortSignal,
): Promise<"made" | "in place" | "unneeded"> {
  try {
    const { exitCode, stdout } = await commands.attempt(
      "iptables",
      ["--wait", "-t", "filter", "-S", "FORWARD"],
      { signal },
    );
    if (exitCode !== 0 || !needsForwardChain(stdout)) return "in place";
  } catch (caught) {
    if (caught instanceof CommandError && caught.missing) return "unneeded";
    throw caught;
  }
  await commands.run("iptables-restore", ["--wait", "--noflush"], {
    input: renderForwardChain(ranges),
    signal,
  });
  await commands.run("iptables", ["--wait", "-t", "filter", "-I", ...hook], { signal });
  return "made";
}

/** Removes the rules of this file; nothing happens where there are none. */
export async function removeForwarding(commands: Commands): Promise<void> {
  const filter = ["--wait", "-t", "filter"];
  const { exitCode } = await commands.attempt("iptables", [...filter, "-D", ...hook]);
  if (exitCode !== 0) return;
  await commands.attempt("iptables", [...filter, "-F", chain]);
  await commands.attempt("iptables", [...filter, "-X", chain]);
}
