import { statSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import type { NodeConfig } from "../pkg/agent/node.ts";
import { checkDnsSubdomain, checkLabelValue, checkQualifiedName } from "../pkg/api/names.ts";
import { isReservedNodeLabel } from "../pkg/api/reserved-node-labels.ts";
import type { FlagValues } from "./flags.ts";
import { kubernetesVersion } from "./kubernetes-version.ts";
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
