import { networkInterfaces } from "node:os";
import type { Node } from "../../api/generated/core-v1.generated.ts";
import { isAbortOf, orAborted } from "../../base/abort.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import { Wakeup } from "../../base/wakeup.ts";
import type { Informer } from "../../client/informer.ts";
import type { Commands } from "../host/exec.ts";
import type { Sysctls } from "../host/sysctls.ts";
import { writeCniConfig } from "./cni.ts";
import { letPodsThrough } from "./forwarding.ts";
import { applyEgress, isEgressInPlace, removeEgress } from "./masquerade.ts";
import { Overlay } from "./overlay.ts";
import {
  type OverlayKind,
  planOverlay,
  routeProtocol,
  tunnelOverheadBytes,
} from "./plan-overlay.ts";

const retryMs = 1_000;
/** How often we look whether our rules are still there: nothing tells of a firewall that was started again. */
const lookMs = 30_000;

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
  readonly serviceCidr: string;
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
  let synced: string | undefined;

  async function sync(signal: AbortSignal): Promise<void> {
    const self = nodes.get(nodeName);
    const podCidr = self?.spec.podCIDR;
    const address = self?.status.addresses?.find(({ type }) => type === "InternalIP")?.address;
    // Both come soon after the node has registered: the next event brings us here again.
    if (podCidr === undefined || address === undefined) return;
    const plan = planOverlay(deps.overlay, nodeName, nodes.list());
    // Most of what Nodes tell is none of ours: images, conditions.
    const wanted = JSON.stringify([podCidr, address, plan]);
    if (wanted === synced) return;
    synced = undefined;
    const uplink = await uplinkOf(address, commands, signal);
    const mtu = uplink.mtu - (deps.overlay === "vxlan" ? tunnelOverheadBytes : 0);
    if (preparedFor !== podCidr) {
      await prepare(podCidr, mtu, { name: uplink.name, address }, signal);
      preparedFor = podCidr;
      configured.resolve();
    }
    await overlay.apply(plan, uplink.name, mtu, signal);
    synced = wanted;
  }

  async function prepare(
    podCidr: string,
    mtu: number,
    uplink: { readonly name: string; readonly address: string },
    signal: AbortSignal,
  ): Promise<void> {
    // Bridged packets pass the rules only with this module; where it is built in, or there are none, nothing is lost.
    await commands.attempt("modprobe", ["br_netfilter"], { signal }).catch(() => {
      signal.throwIfAborted();
    });
    await setKernelParameters(deps.sysctls, logger);
    await removeEgress(commands, [deps.rules === "nftables" ? "iptables" : "nftables"]).catch(
      () => {},
    );
    await applyEgress(commands, deps.rules, { podCidr, clusterCidr: deps.clusterCidr }, signal);
    await routeServices(deps.serviceCidr, uplink, commands, signal);
    await writeCniConfig(deps.cniConfDir, { podCidr, mtu, ipamDir: deps.ipamDir });
  }

  /** Keeps the rules that others flush or that others' firewalls make necessary. */
  async function keepRules(signal: AbortSignal): Promise<void> {
    let needsIptables = true;
    while (!signal.aborted) {
      try {
        if (needsIptables) {
          const outcome = await letPodsThrough(commands, deps, signal);
          needsIptables = outcome !== "unneeded";
          if (outcome === "made")
            logger.info("a firewall of this machine forwards nothing: pods are let through");
        }
        const podCidr = preparedFor;
        if (podCidr !== undefined && !(await isEgressInPlace(commands, deps.rules, signal))) {
          logger.warn("somebody flushed the rules of the pod network, making them anew");
          const egress = { podCidr, clusterCidr: deps.clusterCidr };
          await applyEgress(commands, deps.rules, egress, signal);
        }
      } catch (caught) {
        if (signal.aborted) return;
        logger.warn("cannot look at the rules of the pod network", { error: caught });
      }
      await deps.clock.sleep(lookMs, signal).catch(() => {});
    }
  }

  async function keepSynced(signal: AbortSignal): Promise<void> {
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
  }

  return {
    name: "network",
    ready: (signal) => orAborted(configured.promise, signal),
    async run(signal) {
      await Promise.all([keepSynced(signal), keepRules(signal)]);
    },
  };
}

/**
 * Without a default route the node's own processes could not even begin to send to a cluster IP: the kernel looks
 * for a route before the rules translate the address. Where there is a route, it is left as it is.
 */
async function routeServices(
  serviceCidr: string,
  uplink: { readonly name: string; readonly address: string },
  commands: Commands,
  signal: AbortSignal,
): Promise<void> {
  const first = serviceCidr.split("/")[0] ?? "";
  const { exitCode } = await commands.attempt("ip", ["-4", "route", "get", first], { signal });
  if (exitCode === 0) return;
  const route = [
    serviceCidr,
    "dev",
    uplink.name,
    "src",
    uplink.address,
    "proto",
    String(routeProtocol),
  ];
  await commands.run("ip", ["route", "replace", ...route], { signal });
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
