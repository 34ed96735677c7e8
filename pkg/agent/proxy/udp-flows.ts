import { CommandError, type Commands } from "../host/exec.ts";
import type { Frontend, ServiceTable } from "./service-table.ts";

/** What conntrack remembers of one way in, as the arguments that select it. */
type FlowSelection = readonly string[];

/**
 * What conntrack must forget when `before` becomes `after`. A UDP flow has no end: as long as the client goes on,
 * its packets go where the first one went, be it to a pod that is gone, or, from before a Service had any pod, out
 * into the world untranslated.
 */
export function staleUdpFlows(before: ServiceTable, after: ServiceTable): readonly FlowSelection[] {
  const servedBefore = byWay(before);
  const servedAfter = byWay(after);
  const gone = [...servedBefore].flatMap(([way, frontend]) => {
    const left = new Set(servedAfter.get(way)?.backends.map(({ address }) => address));
    return [...new Set(frontend.backends.map(({ address }) => address))]
      .filter((address) => !left.has(address))
      .map((address) => [...selectionOf(frontend), "--dst-nat", address]);
  });
  const come = [...servedAfter]
    .filter(([way, frontend]) => frontend.kind === "address" && !servedBefore.has(way))
    // Untranslated: the answer is awaited from the Service's own address.
    .map(([, frontend]) => [...selectionOf(frontend), "--reply-src", frontend.address]);
  return [...gone, ...come];
}

/** The UDP frontends that somebody stands behind. */
function byWay(table: ServiceTable): ReadonlyMap<string, Frontend> {
  return new Map(
    table
      .filter(({ protocol, backends }) => protocol === "udp" && backends.length > 0)
      .map((frontend) => [`${frontend.kind} ${frontend.address} ${frontend.port}`, frontend]),
  );
}

function selectionOf({ kind, address, port }: Frontend): FlowSelection {
  const to = kind === "address" ? ["--orig-dst", address] : [];
  return [...to, "--orig-port-dst", String(port)];
}

/** False where this machine has no tool to forget flows with. */
export async function forgetFlows(
  commands: Commands,
  flows: readonly FlowSelection[],
  signal: AbortSignal,
): Promise<boolean> {
  try {
    for (const flow of flows) {
      // Exits with 1 where nothing matches, which is as good.
      await commands.attempt("conntrack", ["-D", "-f", "ipv4", "-p", "udp", ...flow], { signal });
    }
    return true;
  } catch (caught) {
    if (caught instanceof CommandError && caught.missing) return false;
    throw caught;
  }
}
