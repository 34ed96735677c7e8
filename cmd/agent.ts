import { statSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { isMainThread, parentPort } from "node:worker_threads";
import { createNode, type NodeConfig } from "../pkg/agent/node.ts";
import { checkDnsSubdomain, checkLabelValue, checkQualifiedName } from "../pkg/api/names.ts";
import { isReservedNodeLabel } from "../pkg/api/reserved-node-labels.ts";
import { assert } from "../pkg/base/assert.ts";
import { systemClock } from "../pkg/base/clock.ts";
import type { Logger } from "../pkg/base/log.ts";
import { MendableError } from "../pkg/base/mendable-error.ts";
import { claimDataDir } from "./claim-data-dir.ts";
import type { FlagValues } from "./flags.ts";
import { readGivenToken } from "./given-token.ts";
import { kubernetesVersion } from "./kubernetes-version.ts";
import { createLogger } from "./logger.ts";
import { UsageError } from "./usage-error.ts";

/** The node part of the flags, which `mini8s server` has, too. */
export function nodeConfigOf(
  flags: FlagValues,
  cluster: { readonly server: string; readonly token: string },
): NodeConfig {
  if (flags.proxyMode === "ipvs") {
    throw new UsageError("--proxy-mode ipvs is not there yet: use nftables or iptables");
  }
  checkNode(flags);
  return {
    server: cluster.server,
    token: cluster.token,
    nodeName: nodeNameOf(flags),
    nodeIp: flags.nodeIp,
    nodeLabels: Object.fromEntries(flags.nodeLabel),
    nodeTaints: flags.nodeTaint,
    dataDir: flags.dataDir,
    containerRuntimeEndpoint: flags.containerRuntimeEndpoint,
    pauseImage: flags.pauseImage,
    proxyMode: flags.proxyMode,
    runsProxy: !flags.disable.includes("kube-proxy"),
    overlay: flags.flannelBackend,
    resolvConf: flags.resolvConf,
    kubeletPort: flags.kubeletPort,
    kubernetesVersion,
  };
}

/** What flags of the node cannot be right on this machine, before anything is started. */
function checkNode(flags: FlagValues): void {
  const name = nodeNameOf(flags);
  if (checkDnsSubdomain(name).length > 0) {
    throw new UsageError(
      `"${name}" cannot be a node's name: give one of lower-case letters, digits, "-" and "." with --node-name`,
    );
  }
  for (const [label, value] of flags.nodeLabel) {
    const [problem] = [...checkQualifiedName(label), ...checkLabelValue(value)];
    if (problem !== undefined)
      throw new UsageError(`--node-label "${label}=${value}" is no label: ${problem}`);
    if (isReservedNodeLabel(label)) {
      throw new UsageError(
        `--node-label ${label} is not for nodes to set: choose a name outside of kubernetes.io and k8s.io, or set it with kubectl label`,
      );
    }
  }
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  if (flags.nodeIp !== undefined && !addresses.some(({ address }) => address === flags.nodeIp)) {
    throw new UsageError(
      `--node-ip is "${flags.nodeIp}", which no interface of this machine holds: name one of its addresses, as ip addr shows them`,
    );
  }
  const endpoint = flags.containerRuntimeEndpoint;
  if (endpoint !== undefined && !isSocket(endpoint)) {
    throw new UsageError(
      `--container-runtime-endpoint is "${endpoint}", where no container runtime listens: start it, or leave the flag out for a containerd of mini8s's own`,
    );
  }
}

function isSocket(endpoint: string): boolean {
  return (
    statSync(endpoint.replace(/^unix:\/\//, ""), { throwIfNoEntry: false })?.isSocket() === true
  );
}

/** `--node-name`, or the machine's own. */
export function nodeNameOf(flags: FlagValues): string {
  return flags.nodeName ?? hostname().toLowerCase();
}

/** `mini8s agent`: a node of somebody else's cluster. Settles when it has stopped. */
export async function runAgentCommand(
  flags: FlagValues,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  if (flags.join === undefined) {
    throw new UsageError(
      "--join is missing: name the server to join, like --join https://192.168.1.10:6443",
    );
  }
  const token = await readGivenToken(flags);
  if (token === undefined) {
    throw new UsageError(
      "--token is missing: give what <data-dir>/server/node-token holds on the server",
    );
  }
  const config = nodeConfigOf(flags, { server: flags.join, token });
  using _claim = claimDataDir(flags.dataDir);
  await createNode({ config, clock: systemClock, logger, random: Math.random }).run(signal);
}

/** What the thread of the server's own node is started with. */
export interface AgentThreadData {
  readonly config: NodeConfig;
  readonly debug: boolean;
}

/** What the thread of the server's own node says at its end. Without a stack, the message is for people to mend. */
export type AgentThreadReport =
  | { readonly type: "stopped" }
  | { readonly type: "failed"; readonly message: string; readonly stack: string | undefined };

function reportOf(thrown: unknown): AgentThreadReport {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof MendableError) return { type: "failed", message, stack: undefined };
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  return { type: "failed", message, stack: stack ?? message };
}

/** The node of `mini8s server`, in a thread of its own: ends when its parent says "stop", or with why it cannot go on. */
export async function runAgentThread({ config, debug }: AgentThreadData): Promise<void> {
  assert(!isMainThread && parentPort !== null, "the node's thread has a parent");
  const port = parentPort;
  const stop = new AbortController();
  port.on("message", () => stop.abort(new Error("the server stops")));
  const logger = createLogger({ debug });
  try {
    await createNode({ config, clock: systemClock, logger, random: Math.random }).run(stop.signal);
    port.postMessage({ type: "stopped" } satisfies AgentThreadReport);
  } catch (thrown) {
    port.postMessage(stop.signal.aborted ? { type: "stopped" } : reportOf(thrown));
  }
  port.close();
}
