import { open, readFile, stat } from "node:fs/promises";
import {
  type Container,
  type ContainerStatus,
  ContainerState as CriState,
  PodSandboxState,
} from "../cri/generated/cri-v1.generated.ts";
import type { RuntimeService } from "../cri/runtime.ts";
import { isErrno } from "../host/files.ts";
import type { ObservedContainer, ObservedPod, ObservedSandbox } from "./observed-pod.ts";
import { names } from "./runtime-names.ts";

type PodIdentity = Pick<ObservedPod, "uid" | "namespace" | "name">;

/** Looks at what the runtime has. What cannot change any more is asked for once. */
export interface Observer {
  /** The pod's sandboxes and containers now. */
  look(pod: PodIdentity, signal: AbortSignal): Promise<ObservedPod>;
  /** Every pod of which the runtime has anything. */
  pods(signal: AbortSignal): Promise<readonly PodIdentity[]>;
  /** Which pod a container or sandbox belongs to, as far as it was looked at. */
  podUidOf(id: string): string | undefined;
  forget(podUid: string): void;
}

/** As upstream: what a container says at its end is cut there. */
const terminationMessageBytesMax = 4_096;
const fallbackLogBytesMax = 2_048;
const fallbackLogLinesMax = 80;

const states: Readonly<Record<CriState, ObservedContainer["state"]>> = {
  [CriState.CONTAINER_CREATED]: "created",
  [CriState.CONTAINER_RUNNING]: "running",
  [CriState.CONTAINER_EXITED]: "exited",
  [CriState.CONTAINER_UNKNOWN]: "unknown",
};

export function createObserver(
  runtime: Pick<
    RuntimeService,
    "listPodSandboxes" | "podSandboxStatus" | "listContainers" | "containerStatus"
  >,
): Observer {
  const containers = new Map<
    string,
    { readonly podUid: string; readonly seen: ObservedContainer }
  >();
  const sandboxes = new Map<string, { readonly podUid: string; readonly ips: readonly string[] }>();

  async function observeContainer(
    container: Container,
    podUid: string,
    signal: AbortSignal,
  ): Promise<ObservedContainer | undefined> {
    const known = containers.get(container.id)?.seen;
    if (known !== undefined && known.state === states[container.state]) return known;
    const status = await runtime.containerStatus(container.id, { signal });
    if (status === undefined) return undefined;
    const seen: ObservedContainer = {
      id: container.id,
      name: container.labels[names.containerName] ?? container.metadata?.name ?? "",
      sandboxId: container.podSandboxId,
      restartCount: Number(container.annotations[names.restartCount] ?? 0),
      hash: container.annotations[names.hash] ?? "",
      state: states[status.state],
      createdAtMs: millis(status.createdAt),
      startedAtMs: millis(status.startedAt),
      finishedAtMs: millis(status.finishedAt),
      exitCode: status.exitCode,
      reason: status.reason,
      message:
        status.state === CriState.CONTAINER_EXITED ? await lastWords(status) : status.message,
      image: status.image?.userSpecifiedImage || status.image?.image || "",
      imageId: status.imageRef,
    };
    containers.set(container.id, { podUid, seen });
    return seen;
  }

  async function ipsOf(
    id: string,
    podUid: string,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const known = sandboxes.get(id);
    if (known !== undefined && known.ips.length > 0) return known.ips;
    const status = await runtime.podSandboxStatus(id, { signal });
    if (status === undefined) return [];
    const { network } = status;
    const ips = [network?.ip, ...(network?.additionalIps ?? []).map(({ ip }) => ip)].filter(
      (ip) => ip !== undefined && ip !== "",
    ) as readonly string[];
    sandboxes.set(id, { podUid, ips });
    return ips;
  }

  return {
    podUidOf: (id) => containers.get(id)?.podUid ?? sandboxes.get(id)?.podUid,
    forget(podUid) {
      for (const [id, entry] of containers) if (entry.podUid === podUid) containers.delete(id);
      for (const [id, entry] of sandboxes) if (entry.podUid === podUid) sandboxes.delete(id);
    },
    async look({ uid, namespace, name }, signal) {
      const labels = { [names.podUid]: uid };
      const [foundSandboxes, foundContainers] = await Promise.all([
        runtime.listPodSandboxes(labels, { signal }),
        runtime.listContainers(labels, { signal }),
      ]);
      const observedSandboxes = foundSandboxes.map(async (sandbox): Promise<ObservedSandbox> => {
        const ready = sandbox.state === PodSandboxState.SANDBOX_READY;
        return {
          id: sandbox.id,
          attempt: sandbox.metadata?.attempt ?? 0,
          state: ready ? "ready" : "not-ready",
          createdAtMs: millis(sandbox.createdAt),
          ips: ready ? await ipsOf(sandbox.id, uid, signal) : [],
        };
      });
      const observedContainers = foundContainers.map((container) =>
        observeContainer(container, uid, signal),
      );
      const present = (await Promise.all(observedContainers)).filter(
        (container) => container !== undefined,
      );
      return {
        uid,
        namespace,
        name,
        sandboxes: (await Promise.all(observedSandboxes)).sort((one, other) =>
          newestFirst(one, other, one.attempt, other.attempt),
        ),
        containers: present.sort((one, other) =>
          newestFirst(one, other, one.restartCount, other.restartCount),
        ),
      };
    },
    async pods(signal) {
      const found = new Map<string, PodIdentity>();
      for (const { labels } of await runtime.listPodSandboxes({}, { signal })) {
        const uid = labels[names.podUid];
        if (uid === undefined) continue;
        found.set(uid, {
          uid,
          namespace: labels[names.podNamespace] ?? "",
          name: labels[names.podName] ?? "",
        });
      }
      return [...found.values()];
    },
  };
}

/** By their numbers first: the machine's clock may have been set back between the two. */
function newestFirst(
  one: { readonly createdAtMs: number },
  other: { readonly createdAtMs: number },
  number: number,
  otherNumber: number,
): number {
  return otherNumber - number || other.createdAtMs - one.createdAtMs;
}

function millis(nanos: bigint): number {
  return Number(nanos / 1_000_000n);
}

/** What the container left in its termination log, or at the end of its log where it asked for that. */
async function lastWords(status: ContainerStatus): Promise<string> {
  const path = status.annotations[names.terminationMessagePath] ?? "";
  const file = status.mounts.find(({ containerPath }) => path !== "" && containerPath === path);
  const left = file === undefined ? "" : await headOf(file.hostPath);
  if (left !== "") return left;
  const fallback =
    status.annotations[names.terminationMessagePolicy] === "FallbackToLogsOnError" &&
    status.exitCode !== 0;
  if (fallback && status.logPath !== "") return await tailOfLog(status.logPath);
  // The runtime's own words are of use where the container never ran; else they only repeat the exit code.
  return status.reason === "StartError" ? status.message : "";
}

async function headOf(path: string): Promise<string> {
  try {
    return (await readFile(path)).subarray(0, terminationMessageBytesMax).toString("utf8");
  } catch (caught) {
    if (isErrno(caught, "ENOENT")) return "";
    throw caught;
  }
}

/** The last lines of a log in CRI's format, without its time and stream columns. */
async function tailOfLog(path: string): Promise<string> {
  try {
    // Each line carries some forty bytes of columns that are cut away.
    const window = fallbackLogBytesMax * 3;
    const { size } = await stat(path);
    await using file = await open(path, "r");
    const start = Math.max(0, size - window);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(window), 0, window, start);
    const lines = buffer.toString("utf8", 0, bytesRead).split("\n");
    if (start > 0) lines.shift();
    return lines
      .filter((line) => line !== "")
      .slice(-fallbackLogLinesMax)
      .map((line) => line.split(" ").slice(3).join(" "))
      .join("\n")
      .slice(-fallbackLogBytesMax);
  } catch (caught) {
    if (isErrno(caught, "ENOENT")) return "";
    throw caught;
  }
}
