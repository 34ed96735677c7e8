import { networkInterfaces } from "node:os";
import type { Node } from "../../api/generated/core-v1.generated.ts";
import { isAbortOf } from "../../base/abort.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import { Wakeup } from "../../base/wakeup.ts";
import type { Informer } from "../../client/informer.ts";
import type { Commands } from "../host/exec.ts";
import type { Sysctls } from "../host/sysctls.ts";
import { writeCniConfig } from "./cni.ts";
import { applyEgress } from "./masquerade.ts";
import { Overlay } from "./overlay.ts";
import { type OverlayKind, planOverlay, tunnelOverheadBytes } from "./plan-overlay.ts";

const retryMs = 1_000;

/** Each with what does not work without it. */
const kernelParameters: readonly (readonly [name: string, value: string, why: string])[] = [
  ["net.ipv4.ip_forward", "1", "pods reach nothing outside their node"],
  ["net.bridge.bridge-nf-call-iptables", "1", "a Service whose pod is on the same node times out"],
];

export interface Network extends Service {
  /** Resolves once CNI is configured, so that pods can be given addresses. */
  ready(signal: AbortSignal): Promise<void>;
}

/** Connects the node's pods to each other, to those of other nodes and to the world. */
export function createNetwork(deps: {
  readonly nodes: Informer<Node>;
  readonly nodeName: string;
  readonly overlay: OverlayKind;
  /** The tool that masquerades; the one the proxy uses. */
  readonly rules: "nftables" | "iptables";
  readonly clusterCidr: string;
  readonly cniConfDir: string;
  readonly ipamDir: string;
  readonly commands: Commands;
  readonly sysctls: Sysctls;
  readonly clock: Clock;
  readonly logger: Logger;
}): Network {
  const { nodes, nodeName, commands, logger } = deps;
  const configured = Promise.withResolvers<void>();
  const overlay = new Overlay(commands, deps.overlay);
  let preparedFor: string | undefined;

  async function sync(signal: AbortSignal): Promise<void> {
    const self = nodes.get(nodeName);
    const podCidr = self?.spec.podCIDR;
    const address = self?.status.addresses?.find(({ type }) => type === "InternalIP")?.address;
    // Both come soon after the node has registered: the next event brings us here again.
    if (podCidr === undefined || address === undefined) return;
    const uplink = await uplinkOf(address, commands, signal);
    const mtu = uplink.mtu - (deps.overlay === "vxlan" ? tunnelOverheadBytes : 0);
    if (preparedFor !== podCidr) {
      await setKernelParameters(deps.sysctls, logger);
      await applyEgress(commands, deps.rules, { podCidr, clusterCidr: deps.clusterCidr }, signal);
      await writeCniConfig(deps.cniConfDir, { podCidr, mtu, ipamDir: deps.ipamDir });
      preparedFor = podCidr;
      configured.resolve();
    }
    await overlay.apply(
      planOverlay(deps.overlay, nodeName, nodes.list()),
      uplink.name,
      mtu,
      signal,
    );
  }

  return {
    name: "network",
    ready: (signal) => Promise.race([configured.promise, rejectionOf(signal)]),
    async run(signal) {
      const changes = new Wakeup();
      const end = nodes.subscribe(() => changes.raise());
      try {
        for (;;) {
          await changes.wait(signal);
          changes.clear();
          try {
            await sync(signal);
          } catch (caught) {
            if (isAbortOf(signal, caught)) throw caught;
            logger.error("cannot set up the pod network, trying again", { error: caught });
            changes.raise();
            await deps.clock.sleep(retryMs, signal);
          }
        }
      } catch (caught) {
        if (!isAbortOf(signal, caught)) throw caught;
      } finally {
        end();
      }
    },
  };
}

/** Rejects with the signal's reason when it aborts. */
function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

async function setKernelParameters(sysctls: Sysctls, logger: Logger): Promise<void> {
  for (const [name, value, without] of kernelParameters) {
    try {
      await sysctls.set(name, value);
    } catch (caught) {
      logger.warn(`cannot set ${name} to ${value}: ${without}`, { error: caught });
    }
  }
}

/** The interface that holds the node's address, and how many bytes fit into its packets. */
async function uplinkOf(
  address: string,
  commands: Commands,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly mtu: number }> {
  const holders = Object.entries(networkInterfaces()).filter(([, addresses]) =>
    addresses?.some((candidate) => candidate.address === address),
  );
  const name = holders[0]?.[0];
  if (name === undefined) {
    throw new Error(`no interface holds the node's address ${address}: check --node-ip`);
  }
  // Not from /sys: that shows the interfaces of the network namespace it was mounted in.
  const { stdout } = await commands.run("ip", ["-o", "link", "show", "dev", name], { signal });
  return { name, mtu: Number(/ mtu (\d+) /.exec(stdout)?.[1] ?? 1_500) };
}
