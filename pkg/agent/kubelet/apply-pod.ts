import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type {
  Container,
  Node,
  Pod,
  Secret,
  Service,
} from "../../api/generated/core-v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { Image } from "../cri/generated/cri-v1.generated.ts";
import type { ContainerConfig, RuntimeService, SandboxConfig } from "../cri/runtime.ts";
import type { Cgroups } from "../host/cgroups.ts";
import { readFileIfThere } from "../host/files.ts";
import type { Mounts } from "../host/mounts.ts";
import { type ContainerSpec, specNamed } from "./container-specs.ts";
import {
  ContainerConfigError,
  type EnvironmentInput,
  environmentOf,
  expand,
  type Lookup,
} from "./environment.ts";
import { runHook } from "./hooks.ts";
import { hostsFile, podDomain, podHostname } from "./hosts-file.ts";
import { type Images, StartError, type Tell } from "./images.ts";
import { Limiter } from "./limiter.ts";
import { newestContainer, type ObservedPod } from "./observed-pod.ts";
import type { ContainerToStop, PodAction } from "./plan-pod.ts";
import { type ClusterDns, parseResolvConf, podResolvConf } from "./pod-dns.ts";
import { type CriMount, type PodFolders, releasePodFolders, volumeMounts } from "./pod-volumes.ts";
import type { ReferencedObjects } from "./referenced-objects.ts";
import { containerLimits, podCgroupLimits, podCgroupPath, podCgroupPaths } from "./resources.ts";
import {
  containerAnnotations,
  containerLabels,
  containerLogPath,
  podLabels,
  podLogFolder,
} from "./runtime-names.ts";
import { containerSecurity, sandboxSecurity } from "./security.ts";
import type { VolumeOutcome } from "./volumes/volume.ts";

/** What is the same for all pods of a node. */
interface PodRuntimeConfig {
  readonly folders: PodFolders;
  readonly logsDir: string;
  /** Where the pods' control groups live: `/…/kubepods`. */
  readonly cgroupRoot: string;
  readonly clusterDns: ClusterDns | undefined;
  readonly clusterDomain: string;
  /** The host's resolver configuration, for `dnsPolicy: Default` and as the upstream of search domains. */
  readonly resolvConf: string;
  readonly machineMemoryBytes: number;
}

export interface ApplyDeps {
  readonly runtime: RuntimeService;
  readonly images: Images;
  readonly cgroups: Cgroups;
  readonly mounts: Mounts;
  readonly objects: ReferencedObjects;
  readonly clock: Clock;
  readonly config: PodRuntimeConfig;
  readonly hostIps: () => readonly string[];
  readonly node: () => Node | undefined;
  /** All Services of the cluster, once they are known. */
  readonly services: (signal: AbortSignal) => Promise<readonly Service[]>;
  /** Resolves once a pod can be given an address. */
  readonly networkReady: (signal: AbortSignal) => Promise<void>;
}

/** One pod, and what its worker knows of it. */
export interface PodContext {
  readonly pod: Pod;
  readonly observed: ObservedPod;
  readonly volumes: ReadonlyMap<string, VolumeOutcome>;
  readonly tell: Tell;
  tellContainer(name: string): Tell;
}

/** Why a container that is to be started again at `retryAtMs` was not: as upstream waits between tries. */
const retryMs = 10_000;
/** However short its grace, a container gets so long between SIGTERM and SIGKILL after its preStop hook. */
const graceSecondsMin = 2;

/** More only get in each other's way: starting is mostly the kernel's work. */
const startsAtOnce = 8;

export interface PodApplier {
  createSandbox(context: PodContext, attempt: number, signal: AbortSignal): Promise<void>;
  /** Rejects with a `StartError` where the container could not be started. */
  startContainer(
    context: PodContext,
    action: Extract<PodAction, { readonly do: "start-container" }>,
    signal: AbortSignal,
  ): Promise<void>;
  stopContainer(
    context: PodContext,
    container: ContainerToStop,
    graceSeconds: number,
    message: string,
    signal: AbortSignal,
  ): Promise<void>;
  stopPod(
    context: PodContext,
    action: Extract<PodAction, { readonly do: "stop-pod" }>,
    graceSeconds: number,
    signal: AbortSignal,
  ): Promise<void>;
  /** Gives back the control groups and, when the pod is to be forgotten, its folders and logs. */
  release(pod: PodContext["pod"], everything: boolean, signal: AbortSignal): Promise<void>;
}

export function createPodApplier(deps: ApplyDeps): PodApplier {
  const { runtime, config, cgroups, clock } = deps;
  const starting = new Limiter(startsAtOnce);

  async function sandboxConfig(pod: Pod, attempt: number): Promise<SandboxConfig> {
    const host = parseResolvConf((await readFileIfThere(config.resolvConf)) ?? "");
    const dns = podResolvConf(pod, config.clusterDns, host);
    const hostNetwork = pod.spec.hostNetwork === true;
    const ports = hostNetwork ? [] : pod.spec.containers.flatMap(({ ports: list = [] }) => list);
    const domain = podDomain(pod, config.clusterDomain);
    const hostname =
      pod.spec.setHostnameAsFQDN === true && domain !== undefined ? domain : podHostname(pod);
    return {
      metadata: {
        name: pod.metadata.name,
        namespace: pod.metadata.namespace ?? "",
        uid: pod.metadata.uid,
        attempt,
      },
      hostname: hostNetwork ? "" : hostname,
      logDirectory: join(config.logsDir, podLogFolder(pod)),
      dnsConfig: {
        servers: [...dns.servers],
        searches: [...dns.searches],
        options: [...dns.options],
      },
      portMappings: ports
        .filter(({ hostPort }) => hostPort !== undefined && hostPort > 0)
        .map(({ containerPort, hostPort = 0, hostIP = "", protocol }) => ({
          containerPort,
          hostPort,
          hostIp: hostIP,
          protocol: protocol === "UDP" ? 1 : protocol === "SCTP" ? 2 : 0,
        })),
      labels: podLabels(pod),
      annotations: { ...pod.metadata.annotations },
      linux: {
        cgroupParent: podCgroupPath(config.cgroupRoot, pod),
        securityContext: sandboxSecurity(pod),
        sysctls: Object.fromEntries(
          (pod.spec.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value]),
        ),
      },
    };
  }

  function lookupFor(pod: Pod): Lookup {
    const { namespace = "" } = pod.metadata;
    return (kind, name) => {
      if (kind === "configmap") {
        const configMap = deps.objects.configMap(namespace, name);
        return configMap === undefined ? undefined : (configMap.data ?? {});
      }
      const secret = deps.objects.secret(namespace, name);
      if (secret === undefined) return undefined;
      return Object.fromEntries(
        Object.entries(secret.data ?? {}).map(([key, value]) => [
          key,
          Buffer.from(value, "base64").toString("utf8"),
        ]),
      );
    };
  }

  async function containerConfig(
    context: PodContext,
    container: ContainerSpec,
    image: Image,
    restartCount: number,
    services: readonly Service[],
  ): Promise<ContainerConfig> {
    const { pod, observed, volumes } = context;
    // An ephemeral container has every field of a container that is read here.
    const spec = container.spec as Container;
    const input: EnvironmentInput = {
      pod,
      container: spec,
      lookup: lookupFor(pod),
      services,
      podIps: podIpsOf(pod, observed, deps.hostIps()),
      hostIps: deps.hostIps(),
      allocatable: deps.node()?.status.allocatable ?? {},
    };
    const environment = environmentOf(input);
    const expanded = (text: string) => expand(text, (name) => environment.get(name));
    const mounts = [
      ...(await volumeMounts(spec, volumes, environment)),
      ...(await ownMounts(pod, spec, input.podIps)),
    ];
    const target = targetOf(container, observed);
    return {
      metadata: { name: spec.name, attempt: restartCount },
      image: { image: image.id, userSpecifiedImage: spec.image ?? "" },
      command: (spec.command ?? []).map(expanded),
      args: (spec.args ?? []).map(expanded),
      workingDir: spec.workingDir ?? "",
      envs: [...environment].map(([key, value]) => ({ key, value: Buffer.from(value) })),
      mounts: mounts.map((mount) => ({ ...mount })),
      labels: containerLabels(pod, container),
      annotations: containerAnnotations(pod, container, restartCount),
      logPath: containerLogPath(spec.name, restartCount),
      stdin: spec.stdin === true,
      stdinOnce: spec.stdinOnce === true,
      tty: spec.tty === true,
      linux: {
        resources: containerLimits(pod, spec, config.machineMemoryBytes),
        securityContext: containerSecurity(
          pod,
          spec,
          {
            uid: image.uid === undefined ? undefined : Number(image.uid.value),
            username: image.username,
          },
          target,
        ),
      },
    };
  }

  /** The managed /etc/hosts and the file for last words. */
  async function ownMounts(
    pod: Pod,
    container: Container,
    podIps: readonly string[],
  ): Promise<readonly CriMount[]> {
    const folder = join(config.folders.disk, pod.metadata.uid);
    const mounts: CriMount[] = [];
    const taken = (path: string) =>
      container.volumeMounts?.some(({ mountPath }) => mountPath === path) === true;
    if (!taken("/etc/hosts")) {
      const hostPath = join(folder, "etc-hosts");
      await mkdir(folder, { recursive: true, mode: 0o750 });
      const hostFile = (await readFileIfThere("/etc/hosts")) ?? "";
      const { clusterDomain } = config;
      await writeFile(hostPath, hostsFile(pod, { podIps, clusterDomain, hostFile }), {
        mode: 0o644,
      });
      mounts.push({ containerPath: "/etc/hosts", hostPath, readonly: false, propagation: 0 });
    }
    const { terminationMessagePath = "" } = container;
    if (terminationMessagePath !== "" && !taken(terminationMessagePath)) {
      const home = join(folder, "containers", container.name);
      await mkdir(home, { recursive: true, mode: 0o750 });
      // One for each run, so that the last run's words stay with it.
      const hostPath = join(home, clock.now().toString(16));
      await writeFile(hostPath, "", { mode: 0o666 });
      // Whatever user the container runs as may leave words.
      await chmod(hostPath, 0o666);
      mounts.push({
        containerPath: terminationMessagePath,
        hostPath,
        readonly: false,
        propagation: 0,
      });
    }
    return mounts;
  }

  async function stopContainer(
    context: PodContext,
    { id, name }: ContainerToStop,
    graceSeconds: number,
    message: string,
    signal: AbortSignal,
  ): Promise<void> {
    const tell = context.tellContainer(name);
    tell("Normal", "Killing", message);
    const since = clock.monotonic();
    const spec = specNamed(context.pod, name)?.spec;
    const hook = spec?.lifecycle?.preStop;
    if (hook !== undefined && spec !== undefined && graceSeconds > 0) {
      const podIp = podIpsOf(context.pod, context.observed, deps.hostIps())[0] ?? "";
      const limit = AbortSignal.any([signal, AbortSignal.timeout(graceSeconds * 1000)]);
      try {
        const container = spec as Container;
        await runHook(hook, { runtime, clock, container, containerId: id, podIp }, limit);
      } catch (caught) {
        signal.throwIfAborted();
        if (!limit.aborted) {
          const why = caught instanceof Error ? caught.message : String(caught);
          tell("Warning", "FailedPreStopHook", `PreStopHook failed: ${why}`);
        }
      }
    }
    const usedSeconds = Math.floor((clock.monotonic() - since) / 1000);
    const left =
      hook === undefined ? graceSeconds : Math.max(graceSecondsMin, graceSeconds - usedSeconds);
    await runtime.stopContainer(id, graceSeconds === 0 ? 0 : left, { signal });
  }

  async function restartCountOf(
    pod: Pod,
    name: string,
    known: number | undefined,
  ): Promise<number> {
    if (known !== undefined) return known;
    const before = [
      ...(pod.status.containerStatuses ?? []),
      ...(pod.status.initContainerStatuses ?? []),
    ].find((status) => status.name === name);
    const reported = (before?.restartCount ?? 0) + (before?.containerID === undefined ? 0 : 1);
    // The logs outlive the runtime's memory; a number that is used again would overwrite one.
    const folder = join(config.logsDir, podLogFolder(pod), name);
    const logs = await readdir(folder).catch(() => []);
    const logged = logs.map((file) => Number(/^(\d+)\.log/.exec(file)?.[1] ?? -1) + 1);
    return Math.max(reported, 0, ...logged);
  }

  return {
    stopContainer,
    async createSandbox({ pod, tell }, attempt, signal) {
      try {
        const path = podCgroupPath(config.cgroupRoot, pod);
        await cgroups.ensure(path, podCgroupLimits(pod));
        const sandbox = await sandboxConfig(pod, attempt);
        if (pod.spec.hostNetwork !== true) await deps.networkReady(signal);
        await mkdir(sandbox.logDirectory ?? "", { recursive: true, mode: 0o755 });
        const handler = pod.spec.runtimeClassName ?? "";
        await starting.run(() => runtime.runPodSandbox(sandbox, handler, { signal }), signal);
      } catch (caught) {
        signal.throwIfAborted();
        const why = caught instanceof Error ? caught.message : String(caught);
        tell("Warning", "FailedCreatePodSandBox", `Failed to create pod sandbox: ${why}`);
        throw caught;
      }
    },
    async startContainer(context, { name, sandboxId, restartCount: known }, signal) {
      const { pod, observed } = context;
      const container = specNamed(pod, name);
      if (container === undefined) return;
      const tell = context.tellContainer(name);
      const fail = (reason: string, caught: unknown, waitMs = retryMs): never => {
        signal.throwIfAborted();
        if (caught instanceof StartError) throw caught;
        const why = caught instanceof Error ? caught.message : String(caught);
        tell("Warning", "Failed", `Error: ${why}`);
        throw new StartError(why, { reason, retryAtMs: clock.now() + waitMs, cause: caught });
      };
      const attempt = observed.sandboxes.find(({ id }) => id === sandboxId)?.attempt ?? 0;
      const sandbox = await sandboxConfig(pod, attempt);
      let image: Image;
      try {
        const pullSecrets = pullSecretsOf(pod, deps.objects);
        image = await deps.images.ensure({ pod, container, sandbox, pullSecrets, tell }, signal);
      } catch (caught) {
        signal.throwIfAborted();
        if (caught instanceof StartError) {
          tell("Warning", "Failed", `Error: ${caught.reason}`);
          throw caught;
        }
        return fail("ErrImagePull", caught);
      }
      const restartCount = await restartCountOf(pod, name, known);
      let request: ContainerConfig;
      try {
        const services = await deps.services(signal);
        request = await containerConfig(context, container, image, restartCount, services);
      } catch (caught) {
        return fail(
          caught instanceof ContainerConfigError
            ? "CreateContainerConfigError"
            : "CreateContainerError",
          caught,
        );
      }
      await mkdir(join(sandbox.logDirectory ?? "", name), { recursive: true, mode: 0o755 });
      let id: string;
      try {
        id = await runtime.createContainer(sandboxId, request, sandbox, { signal });
      } catch (caught) {
        return fail("CreateContainerError", caught);
      }
      tell("Normal", "Created", "Container created");
      try {
        await starting.run(() => runtime.startContainer(id, { signal }), signal);
      } catch (caught) {
        // The runtime has it as a container that ended: the restart back-off rules from here.
        return fail("RunContainerError", caught, 0);
      }
      tell("Normal", "Started", "Container started");
      const hook = container.spec.lifecycle?.postStart;
      if (hook === undefined) return;
      const podIp = podIpsOf(pod, observed, deps.hostIps())[0] ?? "";
      try {
        const spec = container.spec as Container;
        await runHook(hook, { runtime, clock, container: spec, containerId: id, podIp }, signal);
      } catch (caught) {
        signal.throwIfAborted();
        tell("Warning", "FailedPostStartHook", "PostStartHook failed");
        const grace = pod.spec.terminationGracePeriodSeconds ?? 30;
        await stopContainer(context, { id, name }, grace, "FailedPostStartHook", signal);
        const why = caught instanceof Error ? caught.message : String(caught);
        throw new StartError(why, {
          reason: "PostStartHookError",
          retryAtMs: clock.now(),
          cause: caught,
        });
      }
    },
    async stopPod(context, { together, afterwards, sandboxIds }, graceSeconds, signal) {
      const since = clock.monotonic();
      const left = () => Math.max(0, graceSeconds - Math.floor((clock.monotonic() - since) / 1000));
      const stop = (container: ContainerToStop, grace: number) =>
        stopContainer(context, container, grace, `Stopping container ${container.name}`, signal);
      await Promise.all(together.map((container) => stop(container, graceSeconds)));
      for (const container of afterwards) await stop(container, left());
      for (const id of sandboxIds) await runtime.stopPodSandbox(id, { signal });
    },
    async release(pod, everything, signal) {
      for (const path of podCgroupPaths(config.cgroupRoot, pod.metadata.uid))
        await cgroups.remove(path);
      if (!everything) return;
      await releasePodFolders(pod.metadata.uid, config.folders, deps.mounts, signal);
      await rm(join(config.logsDir, podLogFolder(pod)), { recursive: true, force: true });
    },
  };
}

export function podIpsOf(
  pod: Pod,
  observed: ObservedPod,
  hostIps: readonly string[],
): readonly string[] {
  return pod.spec.hostNetwork === true ? hostIps : (observed.sandboxes[0]?.ips ?? []);
}

function targetOf({ spec }: ContainerSpec, observed: ObservedPod): string | undefined {
  if (!("targetContainerName" in spec) || spec.targetContainerName === undefined) return undefined;
  return newestContainer(observed, spec.targetContainerName)?.id;
}

function pullSecretsOf(pod: Pod, objects: ReferencedObjects): readonly Secret[] {
  const { namespace = "" } = pod.metadata;
  return (pod.spec.imagePullSecrets ?? [])
    .map(({ name = "" }) => objects.secret(namespace, name))
    .filter((secret) => secret !== undefined);
}
