import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CallOptions, RpcConnection } from "./connect.ts";
import {
  type Container,
  type ContainerConfigSchema,
  type ContainerStats,
  type ContainerStatus,
  type PodSandbox,
  type PodSandboxConfigSchema,
  type PodSandboxStatus,
  RuntimeService as RuntimeServiceDescriptor,
  type StatusResponse,
  type VersionResponse,
} from "./generated/cri-v1.generated.ts";

export type SandboxConfig = MessageInitShape<typeof PodSandboxConfigSchema>;
export type ContainerConfig = MessageInitShape<typeof ContainerConfigSchema>;

interface ExecResult {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exitCode: number;
}

export interface ExecStreamRequest {
  readonly containerId: string;
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export type AttachStreamRequest = Omit<ExecStreamRequest, "command">;

/** The verbs of CRI's RuntimeService that a node needs. Failures are `RpcError`s. */
export interface RuntimeService {
  version(options: CallOptions): Promise<VersionResponse>;
  status(options: CallOptions): Promise<StatusResponse>;
  runPodSandbox(
    config: SandboxConfig,
    runtimeHandler: string,
    options: CallOptions,
  ): Promise<string>;
  stopPodSandbox(id: string, options: CallOptions): Promise<void>;
  removePodSandbox(id: string, options: CallOptions): Promise<void>;
  /** Undefined where there is no such sandbox. */
  podSandboxStatus(id: string, options: CallOptions): Promise<PodSandboxStatus | undefined>;
  listPodSandboxes(
    labels: Readonly<Record<string, string>>,
    options: CallOptions,
  ): Promise<readonly PodSandbox[]>;
  createContainer(
    sandboxId: string,
    config: ContainerConfig,
    sandbox: SandboxConfig,
    options: CallOptions,
  ): Promise<string>;
  startContainer(id: string, options: CallOptions): Promise<void>;
  /** Resolves once the container has stopped; it is killed after `graceSeconds`. */
  stopContainer(id: string, graceSeconds: number, options: CallOptions): Promise<void>;
  removeContainer(id: string, options: CallOptions): Promise<void>;
  /** Undefined where there is no such container. */
  containerStatus(id: string, options: CallOptions): Promise<ContainerStatus | undefined>;
  listContainers(
    labels: Readonly<Record<string, string>>,
    options: CallOptions,
  ): Promise<readonly Container[]>;
  listContainerStats(
    labels: Readonly<Record<string, string>>,
    options: CallOptions,
  ): Promise<readonly ContainerStats[]>;
  reopenContainerLog(id: string, options: CallOptions): Promise<void>;
  /** Runs a command in the container; `timeoutSeconds` 0 waits for ever. */
  execSync(
    id: string,
    command: readonly string[],
    timeoutSeconds: number,
    options: CallOptions,
  ): Promise<ExecResult>;
  /** The URL of the runtime's streaming server where the session is to be opened. */
  exec(request: ExecStreamRequest, options: CallOptions): Promise<string>;
  attach(request: AttachStreamRequest, options: CallOptions): Promise<string>;
  portForward(sandboxId: string, ports: readonly number[], options: CallOptions): Promise<string>;
}

export function createRuntimeService(connection: RpcConnection): RuntimeService {
  const { method } = RuntimeServiceDescriptor;
  return {
    version: (options) => connection.call(method.version, {}, options),
    status: (options) => connection.call(method.status, {}, options),
    async runPodSandbox(config, runtimeHandler, options) {
      const answer = await connection.call(
        method.runPodSandbox,
        { config, runtimeHandler },
        { timeoutMs: 240_000, ...options },
      );
      return answer.podSandboxId;
    },
    async stopPodSandbox(podSandboxId, options) {
      await connection.call(method.stopPodSandbox, { podSandboxId }, options);
    },
    async removePodSandbox(podSandboxId, options) {
      await connection.call(method.removePodSandbox, { podSandboxId }, options);
    },
    podSandboxStatus: (podSandboxId, options) =>
      unlessNotFound(
        connection
          .call(method.podSandboxStatus, { podSandboxId }, options)
          .then((answer) => answer.status),
      ),
    async listPodSandboxes(labelSelector, options) {
      const filter = { labelSelector: { ...labelSelector } };
      return (await connection.call(method.listPodSandbox, { filter }, options)).items;
    },
    async createContainer(podSandboxId, config, sandboxConfig, options) {
      const input = { podSandboxId, config, sandboxConfig };
      return (await connection.call(method.createContainer, input, options)).containerId;
    },
    async startContainer(containerId, options) {
      await connection.call(method.startContainer, { containerId }, options);
    },
    async stopContainer(containerId, graceSeconds, options) {
      await connection.call(
        method.stopContainer,
        { containerId, timeout: BigInt(graceSeconds) },
        { timeoutMs: graceSeconds * 1000 + 120_000, ...options },
      );
    },
    async removeContainer(containerId, options) {
      await connection.call(method.removeContainer, { containerId }, options);
    },
    containerStatus: (containerId, options) =>
      unlessNotFound(
        connection
          .call(method.containerStatus, { containerId }, options)
          .then((answer) => answer.status),
      ),
    async listContainers(labelSelector, options) {
      const filter = { labelSelector: { ...labelSelector } };
      return (await connection.call(method.listContainers, { filter }, options)).containers;
    },
    async listContainerStats(labelSelector, options) {
      const filter = { labelSelector: { ...labelSelector } };
      return (await connection.call(method.listContainerStats, { filter }, options)).stats;
    },
    async reopenContainerLog(containerId, options) {
      await connection.call(method.reopenContainerLog, { containerId }, options);
    },
    async execSync(containerId, command, timeoutSeconds, options) {
      return await connection.call(
        method.execSync,
        { containerId, cmd: [...command], timeout: BigInt(timeoutSeconds) },
        // The runtime keeps the command's time; ours only guards against a runtime that does not answer.
        { timeoutMs: (timeoutSeconds === 0 ? 86_400 : timeoutSeconds + 30) * 1000, ...options },
      );
    },
    async exec({ command, ...request }, options) {
      const input = { ...request, cmd: [...command] };
      return (await connection.call(method.exec, input, options)).url;
    },
    async attach(request, options) {
      return (await connection.call(method.attach, request, options)).url;
    },
    async portForward(podSandboxId, ports, options) {
      const input = { podSandboxId, port: [...ports] };
      return (await connection.call(method.portForward, input, options)).url;
    },
  };
}

async function unlessNotFound<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (caught) {
    if (caught instanceof Error && "code" in caught && caught.code === "NOT_FOUND")
      return undefined;
    throw caught;
  }
}
