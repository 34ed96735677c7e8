import { dnsAddressLabel } from "../dns/dns-server.ts";
import { CommandError, type Commands } from "../host/exec.ts";
import { podBridge } from "../network/cni.ts";
import { removeForwarding } from "../network/forwarding.ts";
import { removeEgress } from "../network/masquerade.ts";
import { routeProtocol, tunnelLink } from "../network/plan-overlay.ts";
import { removeIptables } from "../proxy/iptables/iptables.ts";
import { removeNftables } from "../proxy/nftables/nftables.ts";
import { removePortMapLeftovers } from "./port-map-leftovers.ts";

/**
 * Takes links, routes, addresses and packet rules out of the network namespace that this process is in.
 * `podCidr` is what the node's pods had addresses of: links of our names that carry another range are not ours.
 */
export async function removeNetwork(
  commands: Commands,
  podCidr: string | undefined,
): Promise<void> {
  const steps = [
    () => removeLinks(commands, podCidr),
    () => commands.attempt("ip", ["route", "flush", "proto", String(routeProtocol)]),
    () => commands.attempt("ip", ["addr", "flush", "dev", "lo", "label", dnsAddressLabel]),
    () => removeNftables(commands),
    () => removeEgress(commands),
    () => removeForwarding(commands),
    () => removeIptables(commands),
    () => removePortMapLeftovers(commands),
  ];
  for (const step of steps) {
    try {
      await step();
    } catch (caught) {
      // A tool that is not installed has left nothing behind.
      if (!(caught instanceof CommandError && caught.missing)) throw caught;
    }
  }
}

async function removeLinks(commands: Commands, podCidr: string | undefined): Promise<void> {
  if (podCidr === undefined) return;
  const base = podCidr.split("/")[0] ?? "";
  for (const [link, address] of [
    [podBridge, nextAddress(base)],
    [tunnelLink, base],
  ] as const) {
    const { stdout } = await commands.attempt("ip", ["-o", "-4", "addr", "show", "dev", link]);
    if (stdout.includes(` inet ${address}/`)) await commands.run("ip", ["link", "del", link]);
  }
}

/** The gateway that the bridge holds: the first address of the range. */
function nextAddress(base: string): string {
  const parts = base.split(".").map(Number);
  return [...parts.slice(0, 3), (parts[3] ?? 0) + 1].join(".");
}
