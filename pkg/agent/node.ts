import { join } from "node:path";
import type { Taint } from "../api/generated/core-v1.generated.ts";
import { endpointSliceResource } from "../api/resources/endpointslice.ts";
import { namespaceResource } from "../api/resources/namespace.ts";
import { nodeResource } from "../api/resources/node.ts";
import { serviceResource } from "../api/resources/service.ts";
import { isAbortOf } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { MendableError } from "../base/mendable-error.ts";
import { runAll, type Service } from "../base/service.ts";
import { createHttpClient } from "../client/http-client.ts";
import { createSharedInformers } from "../client/shared-informers.ts";
import { createAgent } from "./agent.ts";
import { chooseProxyMode, type ProxyChoice } from "./choose-proxy-mode.ts";
import { createDnsServer } from "./dns/dns-server.ts";
import { createForwarder } from "./dns/forwarder.ts";
import { createZoneSource } from "./dns/zone-source.ts";
import { createHost, type Host } from "./host/host.ts";
import { joinCluster, type NodeCredentials } from "./join.ts";
import { createEndpoint } from "./kubelet/endpoint/endpoint.ts";
import { NodeAccess } from "./kubelet/endpoint/node-access.ts";
import { workloadsOf } from "./kubelet/endpoint/node-workloads.ts";
import { createNetwork } from "./network/network.ts";
import type { OverlayKind } from "./network/plan-overlay.ts";
import { createIptablesBackend, removeIptables } from "./proxy/iptables/iptables.ts";
import { createNftablesBackend, removeNftables } from "./proxy/nftables/nftables.ts";
import { createProxy } from "./proxy/proxy.ts";
import type { ProxyNetwork } from "./proxy/proxy-backend.ts";
import { createCertificateRenewal } from "./renew-certificates.ts";

export interface NodeConfig {
  /** `https://host:port` of a server. */
  readonly server: string;
  readonly token: string;
  readonly nodeName: string;
  /** Undefined: the address of the interface with the default route. */
  readonly nodeIp: string | undefined;
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly nodeTaints: readonly Taint[];
  readonly dataDir: string;
  /** Undefined: a containerd of the node's own. */
  readonly containerRuntimeEndpoint: string | undefined;
  readonly pauseImage: string | undefined;
  /** Undefined: what the machine does best. */
  readonly proxyMode: "nftables" | "iptables" | undefined;
  readonly runsProxy: boolean;
  readonly overlay: OverlayKind;
  readonly resolvConf: string;
  readonly kubeletPort: number;
  /** `v1.36.x+mini8s1` */
  readonly kubernetesVersion: string;
}

export interface NodeDeps {
  readonly config: NodeConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** What servers and nodes must agree on: the server tells it to a node that joins. */
interface ClusterSettings {
  readonly clusterCidr: string;
  readonly serviceCidr: string;
  /** "" where the cluster runs no DNS. */
  readonly clusterDns: string;
  readonly clusterDomain: string;
}

const podsMax = 110;
/** Where Debian's package puts the plugins. */
export const cniBinDir = "/usr/lib/cni";
/** By convention; folders carry the pod's uid, so several nodes may share it. */
export const podLogsDir = "/var/log/pods";

/** A node of a cluster: joins it, then runs containers, network, proxy, DNS and the node's endpoint. */
export function createNode(deps: NodeDeps): Service {
  return {
    name: "node",
    async run(signal) {
      const { config, clock, logger } = deps;
      const host = await createHost(clock);
      const nodeIp = config.nodeIp ?? (await host.machine.defaultAddress());
      if (nodeIp === undefined) {
        throw new MendableError(
          "this machine has no default route to tell its address by: name the address with --node-ip",
        );
      }
      const { server, token, nodeName, dataDir } = config;
      try {
        const credentials = await joinCluster(
          { server, token, nodeName, nodeIps: [nodeIp], dataDir, clock, logger },
          signal,
        );
        await runJoined(deps, host, nodeIp, credentials, signal);
      } catch (caught) {
        if (!isAbortOf(signal, caught)) throw caught;
      }
    },
  };
}

async function runJoined(
  deps: NodeDeps,
  host: Host,
  nodeIp: string,
  credentials: NodeCredentials,
  signal: AbortSignal,
): Promise<void> {
  const { config, clock, logger, random } = deps;
  const { commands } = host;
  let clientCertificate = credentials.client;
  const settings = settingsOf(credentials);
  await using client = createHttpClient({
    server: config.server,
    ca: credentials.serverCa,
    credentials: () => ({ type: "certificate", ...clientCertificate }),
    userAgent: `mini8s-agent/${config.kubernetesVersion}`,
    clock,
    logger,
    random,
  });
  const choice = await chooseProxyMode(config.proxyMode, commands);
  logger.info("packet rules", { mode: choice.mode, reason: choice.reason });
  const informers = createSharedInformers(client);
  const services = informers.informer(serviceResource);
  const slices = informers.informer(endpointSliceResource);
  const parts: Service[] = [informers];

  const agent = createAgent({
    client,
    config: {
      nodeName: config.nodeName,
      nodeIps: [nodeIp],
      nodeLabels: config.nodeLabels,
      nodeAnnotations: annotationsOf(config, choice),
      nodeTaints: config.nodeTaints,
      maxPods: podsMax,
      dataDir: config.dataDir,
      containerRuntimeEndpoint: config.containerRuntimeEndpoint,
      pauseImage: config.pauseImage,
      cniBinDir,
      podLogsDir,
      clusterDns: settings.clusterDns === "" ? [] : [settings.clusterDns],
      clusterDomain: settings.clusterDomain,
      resolvConf: config.resolvConf,
      kubeletPort: config.kubeletPort,
      kubernetesVersion: config.kubernetesVersion,
    },
    host,
    network: { ready: (stop) => network.ready(stop) },
    services,
    clock,
    logger,
    random,
  });
  const network = createNetwork({
    nodes: informers.informer(nodeResource),
    nodeName: config.nodeName,
    overlay: config.overlay,
    rules: choice.mode,
    clusterCidr: settings.clusterCidr,
    serviceCidr: settings.serviceCidr,
    cniConfDir: agent.cniConfDir,
    ipamDir: join(config.dataDir, "agent", "cni", "networks"),
    commands,
    sysctls: host.sysctls,
    clock,
    logger: logger.child({ part: "network" }),
  });
  parts.push(agent, network);

  const tls = {
    cert: credentials.serving.certificate,
    key: credentials.serving.privateKey,
    clientCa: credentials.clientCa,
  };
  const endpoint = createEndpoint({
    address: nodeIp,
    port: config.kubeletPort,
    tls,
    access: new NodeAccess(client, config.nodeName),
    workloads: workloadsOf(agent.kubelet),
    clock,
    logger: logger.child({ part: "endpoint" }),
  });
  const renewal = createCertificateRenewal(
    {
      client,
      nodeName: config.nodeName,
      nodeAddresses: [nodeIp],
      folder: join(config.dataDir, "agent"),
      clock,
      logger: logger.child({ part: "certificates" }),
      random,
    },
    [
      {
        use: "client",
        current: credentials.client,
        replace(next) {
          clientCertificate = next;
          client.renew();
        },
      },
      {
        use: "serving",
        current: credentials.serving,
        replace: ({ certificate, privateKey }) =>
          endpoint.renew({ cert: certificate, key: privateKey }),
      },
    ],
  );
  parts.push(endpoint, renewal);

  if (config.runsProxy) {
    parts.push(
      createProxy({
        services,
        slices,
        backend: await prepareProxyBackend(choice, host, settings),
        commands,
        nodeName: config.nodeName,
        answeredHere: new Set(settings.clusterDns === "" ? [] : [settings.clusterDns]),
        clock,
        logger: logger.child({ part: "proxy" }),
      }),
    );
  }
  if (settings.clusterDns !== "") {
    const namespaces = informers.informer(namespaceResource);
    const zone = createZoneSource({ services, slices, namespaces });
    parts.push(
      createDnsServer({
        address: settings.clusterDns,
        domain: settings.clusterDomain,
        zone,
        forwarder: createForwarder({
          resolvConf: config.resolvConf,
          ownAddress: settings.clusterDns,
          clock,
        }),
        ready: async (stop) => {
          await Promise.all([services.synced(stop), slices.synced(stop), namespaces.synced(stop)]);
        },
        commands,
        logger: logger.child({ part: "dns" }),
      }),
    );
  }
  await runAll(parts, signal);
}

/** The rules of the mode that is not used are taken away: both at once would translate twice. */
async function prepareProxyBackend(choice: ProxyChoice, { commands }: Host, network: ProxyNetwork) {
  if (choice.mode === "nftables") {
    // Without iptables on the machine there is nothing of it to take away.
    await removeIptables(commands).catch(() => {});
    return createNftablesBackend({ commands, network });
  }
  await removeNftables(commands).catch(() => {});
  return createIptablesBackend({ commands, network });
}

function annotationsOf(config: NodeConfig, choice: ProxyChoice): Readonly<Record<string, string>> {
  return {
    "mini8s.io/proxy-mode": config.runsProxy ? choice.mode : "disabled",
    "mini8s.io/proxy-mode-reason": choice.reason,
  };
}

function settingsOf({ clusterConfig }: NodeCredentials): ClusterSettings {
  const text = (name: keyof ClusterSettings): string => {
    const value = clusterConfig[name];
    if (typeof value !== "string") {
      throw new MendableError(
        `the server does not say its ${name}: run the same version of mini8s on servers and nodes`,
      );
    }
    return value;
  };
  return {
    clusterCidr: text("clusterCidr"),
    serviceCidr: text("serviceCidr"),
    clusterDns: text("clusterDns"),
    clusterDomain: text("clusterDomain"),
  };
}
