import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type {
  Node,
  Pod,
  Service as ServiceObject,
  Taint,
} from "../api/generated/core-v1.generated.ts";
import { podResource } from "../api/resources/pod.ts";
import { aborted, orAborted } from "../base/abort.ts";
import { type BackoffPolicy, backoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { runAll, type Service } from "../base/service.ts";
import type { Client } from "../client/client.ts";
import type { Informer } from "../client/informer.ts";
import { createEventBroadcaster } from "../client/recorder.ts";
import { createContainerd } from "./containerd/containerd.ts";
import {
  createImageImporter,
  type ImageImporter,
  ownPauseImage,
} from "./containerd/import-images.ts";
import { containerdPaths } from "./containerd/paths.ts";
import { connectRpc } from "./cri/connect.ts";
import { createImageService } from "./cri/images.ts";
import { createRuntimeService, type RuntimeService } from "./cri/runtime.ts";
import type { Host } from "./host/host.ts";
import { capSysResource } from "./host/machine.ts";
import { instanceOf } from "./instance.ts";
import { createPodApplier } from "./kubelet/apply-pod.ts";
import { createLogRotation } from "./kubelet/container-logs.ts";
import { createImages } from "./kubelet/images.ts";
import { createNodeAgent, runtimeCondition } from "./kubelet/node-agent.ts";
import { createNodeLease } from "./kubelet/node-lease.ts";
import { createObserver } from "./kubelet/observe.ts";
import { newestContainer } from "./kubelet/observed-pod.ts";
import { createPods, type LocalPod } from "./kubelet/pods.ts";
import { createReferencedObjects } from "./kubelet/referenced-objects.ts";
import { containerLogPath, podLogFolder } from "./kubelet/runtime-names.ts";
import { createServiceAccountTokens } from "./kubelet/service-account-tokens.ts";

interface AgentConfig {
  readonly nodeName: string;
  /** Empty: the address of the interface with the default route. */
  readonly nodeIps: readonly string[];
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly nodeAnnotations: Readonly<Record<string, string>>;
  readonly nodeTaints: readonly Taint[];
  readonly maxPods: number;
  readonly dataDir: string;
  /** Undefined: the agent starts and supervises its own containerd. */
  readonly containerRuntimeEndpoint: string | undefined;
  /** Undefined: the one mini8s brings. */
  readonly pauseImage: string | undefined;
  /** Where the distribution keeps the CNI plugins. */
  readonly cniBinDir: string;
  /** By convention /var/log/pods; folders carry the pod's uid, so several nodes may share it. */
  readonly podLogsDir: string;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly resolvConf: string;
  readonly kubeletPort: number;
  /** What the node says it runs: `v1.36.x+mini8s1`. */
  readonly kubernetesVersion: string;
}

/** What the agent needs of the pod network, which others build. */
interface AgentNetwork {
  /** Resolves once CNI is configured in `cniConfDir`, so that pods can be given addresses. */
  ready(signal: AbortSignal): Promise<void>;
}

export interface AgentDeps {
  readonly client: Client;
  readonly config: AgentConfig;
  readonly host: Host;
  readonly network: AgentNetwork;
  /** Shared with the proxy; run by who made it. */
  readonly services: Informer<ServiceObject>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/** What the kubelet's HTTPS endpoint asks of the node. */
export interface Kubelet {
  readonly runtime: RuntimeService;
  pod(namespace: string, name: string): LocalPod | undefined;
  pods(): readonly LocalPod[];
  /** The newest container of that name; with `previous`, the one before it. */
  container(
    namespace: string,
    podName: string,
    containerName: string,
    previous?: boolean,
  ): { readonly id: string; readonly running: boolean; readonly logPath: string } | undefined;
  /** The sandbox that port-forward goes to. */
  sandboxId(namespace: string, podName: string): string | undefined;
}

export interface Agent extends Service {
  readonly kubelet: Kubelet;
  /** The folder that CNI configuration is read from. */
  readonly cniConfDir: string;
  /** The Node as the API last answered it. */
  node(): Node | undefined;
}

const memoryMountName = "mini8s-memory";
/** CNI's configuration is picked up a moment after it is written; nothing tells when. */
const networkLook: BackoffPolicy = { firstMs: 20, maxMs: 1_000 };

/** A node: containerd, the kubelet and what they need, in their boot order. */
export function createAgent(deps: AgentDeps): Agent {
  const { client, config, host, clock } = deps;
  const logger = deps.logger.child({ part: "agent" });
  const paths = containerdPaths(config.dataDir);
  const instance = instanceOf(config.dataDir);
  const socket = config.containerRuntimeEndpoint ?? paths.socket;
  const connection = connectRpc(socket);
  const runtime = createRuntimeService(connection);
  const images = createImageService(connection);
  const broadcaster = createEventBroadcaster({ client, clock, logger, random: deps.random });
  const recorder = broadcaster.recorder("kubelet", config.nodeName);
  const podInformer: Informer<Pod> = client.informer(podResource, {
    fieldSelector: `spec.nodeName=${config.nodeName}`,
  });
  const folders = {
    disk: join(config.dataDir, "agent", "pods"),
    memory: join(instance.runFolder, "memory"),
  };
  let nodeIps = config.nodeIps;
  let imagesCame = () => {};
  let kubelet: ReturnType<typeof createPods> | undefined;
  let nodeAgent: ReturnType<typeof createNodeAgent> | undefined;

  async function networkReady(signal: AbortSignal): Promise<void> {
    await deps.network.ready(signal);
    for (let looks = 1; !(await runtimeCondition(runtime, signal)).ready; looks++)
      await clock.sleep(backoffMs(networkLook, looks), signal);
  }

  async function compose(
    importer: ImageImporter | undefined,
    signal: AbortSignal,
  ): Promise<readonly Service[]> {
    const facts = await host.machine.facts();
    if (nodeIps.length === 0) {
      const address = await host.machine.defaultAddress();
      if (address === undefined)
        throw new Error(
          "this machine has no default route to tell its address by: name it with --node-ip",
        );
      nodeIps = [address];
    }
    await mkdir(folders.disk, { recursive: true, mode: 0o750 });
    await mountMemory(signal);

    let network: Promise<void> | undefined;
    const objects = createReferencedObjects({
      client,
      logger,
      onChange: (uids) => kubelet?.refresh(uids),
    });
    const podImages = createImages({
      images,
      importsDone: async (stop) => await importer?.idle(stop),
      clock,
    });
    imagesCame = () => {
      podImages.forgetFailures();
      kubelet?.retryImages();
    };
    const observer = createObserver(runtime);
    const node = createNodeAgent({
      client,
      runtime,
      images,
      machine: host.machine,
      identity: {
        name: config.nodeName,
        addresses: nodeIps,
        labels: config.nodeLabels,
        annotations: config.nodeAnnotations,
        taints: config.nodeTaints,
        maxPods: config.maxPods,
        kubeletPort: config.kubeletPort,
        version: config.kubernetesVersion,
      },
      dataDir: config.dataDir,
      recorder,
      clock,
      logger,
    });
    nodeAgent = node;
    const applier = createPodApplier({
      runtime,
      images: podImages,
      cgroups: host.cgroups,
      mounts: host.mounts,
      objects,
      clock,
      config: {
        folders,
        logsDir: config.podLogsDir,
        cgroupRoot: join(instance.cgroup, "kubepods"),
        clusterDns:
          config.clusterDns.length === 0
            ? undefined
            : { servers: config.clusterDns, domain: config.clusterDomain },
        clusterDomain: config.clusterDomain,
        resolvConf: config.resolvConf,
        machineMemoryBytes: facts.memoryBytes,
      },
      hostIps: () => nodeIps,
      node: node.node,
      async services(stop) {
        await deps.services.synced(stop);
        return deps.services.list();
      },
      networkReady: (stop) => {
        network ??= networkReady(signal).catch((caught: unknown) => {
          network = undefined;
          throw caught;
        });
        return orAborted(network, stop);
      },
    });
    const pods = createPods({
      informer: podInformer,
      connection,
      observer,
      worker: {
        client,
        runtime,
        applier,
        objects,
        tokens: createServiceAccountTokens(client, clock),
        images: podImages,
        mounts: host.mounts,
        recorder,
        folders,
        hostIps: () => nodeIps,
        allocatable: () => node.node()?.status.allocatable ?? {},
      },
      clock,
      logger,
    });
    kubelet = pods;
    return [
      node,
      pods,
      createNodeLease({
        client,
        nodeName: config.nodeName,
        nodeUid: () => node.node()?.metadata.uid,
        clock,
        logger,
      }),
      createLogRotation({ logs: runningLogs, runtime, clock, logger }),
      {
        name: "network readiness",
        async run(stop) {
          await networkReady(stop).catch((caught: unknown) => {
            if (!stop.aborted) throw caught;
          });
          node.wake();
          await aborted(stop);
        },
      },
    ];
  }

  /** One tmpfs for what must not touch the disk; it stays while mini8s restarts. */
  async function mountMemory(signal: AbortSignal): Promise<void> {
    await mkdir(folders.memory, { recursive: true, mode: 0o755 });
    if ((await host.mounts.list()).some(({ path }) => path === folders.memory)) return;
    await host.mounts.mount(
      {
        type: "tmpfs",
        source: memoryMountName,
        target: folders.memory,
        options: ["nosuid", "nodev", "mode=0755"],
      },
      signal,
    );
  }

  function runningLogs() {
    return (kubelet?.list() ?? []).flatMap(({ pod, observed }) =>
      observed.containers
        .filter(({ state }) => state === "running")
        .map(({ id, name, restartCount }) => ({
          containerId: id,
          path: join(config.podLogsDir, podLogFolder(pod), containerLogPath(name, restartCount)),
        })),
    );
  }

  const own = config.containerRuntimeEndpoint === undefined ? createOwnContainerd() : undefined;

  function createOwnContainerd() {
    const { commands, processes, machine } = host;
    const importerFor = async () =>
      createImageImporter({
        paths,
        architecture: (await machine.facts()).architecture,
        images,
        commands,
        clock,
        logger,
        onImported: () => imagesCame(),
      });
    return {
      importerFor,
      create: async () =>
        createContainerd({
          paths,
          config: {
            pauseImage: config.pauseImage ?? ownPauseImage,
            cniBinDir: config.cniBinDir,
            restrictOomScoreAdj: !(await machine.hasCapability(capSysResource)),
            snapshotter: "overlayfs",
          },
          commands,
          processes,
          clock,
          logger,
        }),
    };
  }

  return {
    name: "agent",
    cniConfDir: paths.cniConfDir,
    node: () => nodeAgent?.node(),
    kubelet: {
      runtime,
      pod: (namespace, name) => kubelet?.find(namespace, name),
      pods: () => kubelet?.list() ?? [],
      container(namespace, podName, containerName, previous = false) {
        const local = kubelet?.find(namespace, podName);
        const instances = local?.observed.containers.filter(({ name }) => name === containerName);
        const found = instances?.[previous ? 1 : 0];
        if (local === undefined || found === undefined) return undefined;
        const file = containerLogPath(found.name, found.restartCount);
        return {
          id: found.id,
          running: newestContainer(local.observed, containerName)?.state === "running",
          logPath: join(config.podLogsDir, podLogFolder(local.pod), file),
        };
      },
      sandboxId(namespace, podName) {
        return kubelet
          ?.find(namespace, podName)
          ?.observed.sandboxes.find(({ state }) => state === "ready")?.id;
      },
    },
    async run(signal) {
      const services: Service[] = [
        broadcaster,
        { name: "pods of this node", run: (stop) => podInformer.run(stop) },
      ];
      const containerd = await own?.create();
      const importer = await own?.importerFor();
      if (containerd !== undefined) services.push(containerd);
      services.push({
        name: "kubelet",
        async run(stop) {
          try {
            await containerd?.ready(stop);
            const parts = [...(await compose(importer, stop))];
            if (importer !== undefined) {
              if (config.pauseImage === undefined) await importer.importPauseImage(stop);
              parts.push(importer);
            }
            await runAll(parts, stop);
          } catch (caught) {
            if (!stop.aborted) throw caught;
          }
        },
      });
      try {
        await runAll(services, signal);
      } finally {
        connection[Symbol.dispose]();
      }
    },
  };
}
