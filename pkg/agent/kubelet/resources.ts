import type {
  Container,
  Pod,
  ResourceRequirements,
} from "../../api/generated/core-v1.generated.ts";
import { milliUnits, parseQuantity, wholeUnits } from "../../api/quantity.ts";
import { type CgroupLimits, cpuPeriodMicroseconds } from "../host/cgroups.ts";

const sharesPerCpu = 1024;
const sharesMin = 2;
const sharesMax = 262_144;
/** The kernel refuses a quota below a millisecond. */
const quotaMicrosecondsMin = 1_000;

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

/** CRI's LinuxContainerResources, as the kubelet fills it in. */
export interface ContainerLimits {
  readonly cpuPeriod: bigint;
  readonly cpuQuota: bigint;
  readonly cpuShares: bigint;
  readonly memoryLimitInBytes: bigint;
  readonly oomScoreAdj: bigint;
}

function millicpuOf(text: string | undefined): number {
  return text === undefined ? 0 : milliUnits(parseQuantity(text));
}

export function bytesOf(text: string | undefined): number {
  return text === undefined ? 0 : wholeUnits(parseQuantity(text));
}

export function cpuShares(millicpu: number): number {
  if (millicpu === 0) return sharesMin;
  return Math.min(sharesMax, Math.max(sharesMin, Math.floor((millicpu * sharesPerCpu) / 1000)));
}

export function cpuQuota(millicpu: number): number {
  if (millicpu === 0) return 0;
  return Math.max(quotaMicrosecondsMin, Math.floor((millicpu * cpuPeriodMicroseconds) / 1000));
}

/** By cpu and memory of all containers: all limited and requested alike; some; none. */
export function qosClassOf(pod: Pod): QosClass {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const amounts = containers.map(({ resources }) => resourcesOf(resources));
  const any = amounts.some((amount) => Object.values(amount).some((value) => value > 0));
  if (!any) return "BestEffort";
  const guaranteed = amounts.every(
    ({ cpuRequest, cpuLimit, memoryRequest, memoryLimit }) =>
      cpuLimit > 0 && memoryLimit > 0 && cpuRequest === cpuLimit && memoryRequest === memoryLimit,
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}

interface Amounts {
  readonly cpuRequest: number;
  readonly cpuLimit: number;
  readonly memoryRequest: number;
  readonly memoryLimit: number;
}

/** A limit without a request is the request, too. */
function resourcesOf(resources: ResourceRequirements | undefined): Amounts {
  const cpuLimit = millicpuOf(resources?.limits?.["cpu"]);
  const memoryLimit = bytesOf(resources?.limits?.["memory"]);
  const cpu = resources?.requests?.["cpu"];
  const memory = resources?.requests?.["memory"];
  return {
    cpuRequest: cpu === undefined ? cpuLimit : millicpuOf(cpu),
    cpuLimit,
    memoryRequest: memory === undefined ? memoryLimit : bytesOf(memory),
    memoryLimit,
  };
}

/** How readily the kernel kills the container when memory runs out: the less it asked for, the sooner. */
function oomScoreAdj(pod: Pod, container: Container, machineMemoryBytes: number): number {
  const critical =
    pod.spec.priorityClassName === "system-node-critical" ||
    (pod.spec.priority ?? 0) >= 2_000_001_000;
  if (critical) return -997;
  switch (qosClassOf(pod)) {
    case "Guaranteed":
      return -997;
    case "BestEffort":
      return 1000;
    case "Burstable": {
      const { memoryRequest } = resourcesOf(container.resources);
      const adjustment = 1000 - Math.floor((1000 * memoryRequest) / machineMemoryBytes);
      return Math.min(999, Math.max(3, adjustment));
    }
  }
}

export function containerLimits(
  pod: Pod,
  container: Container,
  machineMemoryBytes: number,
): ContainerLimits {
  const amounts = resourcesOf(container.resources);
  return {
    cpuPeriod: BigInt(cpuPeriodMicroseconds),
    cpuQuota: BigInt(cpuQuota(amounts.cpuLimit)),
    cpuShares: BigInt(cpuShares(amounts.cpuRequest)),
    memoryLimitInBytes: BigInt(amounts.memoryLimit),
    oomScoreAdj: BigInt(oomScoreAdj(pod, container, machineMemoryBytes)),
  };
}

/** What the pod as a whole may use: a limit holds only where every container has one. */
export function podCgroupLimits(pod: Pod): CgroupLimits {
  const mains = pod.spec.containers.map(({ resources }) => resourcesOf(resources));
  const sidecars = (pod.spec.initContainers ?? []).filter(
    ({ restartPolicy }) => restartPolicy === "Always",
  );
  const steady = [...mains, ...sidecars.map(({ resources }) => resourcesOf(resources))];
  const inits = (pod.spec.initContainers ?? [])
    .filter(({ restartPolicy }) => restartPolicy !== "Always")
    .map(({ resources }) => resourcesOf(resources));
  const total = (of: keyof Amounts) =>
    Math.max(
      steady.reduce((sum, amount) => sum + amount[of], 0),
      ...inits.map((amount) => amount[of]),
    );
  const everyone = [...steady, ...inits];
  const cpuLimited = everyone.every(({ cpuLimit }) => cpuLimit > 0);
  const memoryLimited = everyone.every(({ memoryLimit }) => memoryLimit > 0);
  return {
    cpuShares: cpuShares(total("cpuRequest")),
    ...(cpuLimited ? { cpuQuotaMicroseconds: cpuQuota(total("cpuLimit")) } : {}),
    ...(memoryLimited ? { memoryBytes: total("memoryLimit") } : {}),
  };
}

/** Where the pod's processes live, below `root`: `/kubepods[/burstable|/besteffort]/pod<uid>`. */
export function podCgroupPath(root: string, pod: Pod): string {
  const qos = qosClassOf(pod);
  const level = qos === "Guaranteed" ? "" : `/${qos.toLowerCase()}`;
  return `${root}${level}/pod${pod.metadata.uid}`;
}

/** Every place where a pod of which only the uid is known may have its processes. */
export function podCgroupPaths(root: string, uid: string): readonly string[] {
  return ["", "/burstable", "/besteffort"].map((level) => `${root}${level}/pod${uid}`);
}
