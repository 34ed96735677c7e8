import type {
  Node,
  NodeCondition,
  NodeStatus,
  Taint,
} from "../../api/generated/core-v1.generated.ts";
import type { NewObject } from "../../api/object.ts";
import { formatTime } from "../../api/time.ts";
import type { MachineFacts, MachineUse } from "../host/machine.ts";

export interface NodeIdentity {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Beside those every node has. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly maxPods: number;
  /** Where the kubelet's HTTPS listens. */
  readonly kubeletPort: number;
  /** `v1.36.x+mini8s1` */
  readonly version: string;
}

export interface RuntimeCondition {
  readonly ready: boolean;
  /** Why not, for people. */
  readonly message: string;
}

export interface NodeObservation {
  readonly facts: MachineFacts;
  readonly use: MachineUse;
  /** `containerd://1.6.20` */
  readonly runtimeVersion: string;
  readonly runtime: RuntimeCondition;
  readonly images: readonly { readonly names: readonly string[]; readonly sizeBytes: number }[];
}

/** As upstream's hard eviction thresholds. */
const memoryReserveBytes = 100 * 1024 * 1024;
const diskReserveShare = 0.1;
const inodeReserveShare = 0.05;
/** As upstream: so many images are reported, the largest first. */
const imagesMax = 50;

export function nodeLabels(identity: NodeIdentity, facts: MachineFacts): Record<string, string> {
  return {
    "beta.kubernetes.io/arch": facts.architecture,
    "beta.kubernetes.io/os": "linux",
    "kubernetes.io/arch": facts.architecture,
    "kubernetes.io/hostname": identity.name,
    "kubernetes.io/os": "linux",
    ...identity.labels,
  };
}

/** The Node as it is registered. */
export function newNode(
  identity: NodeIdentity,
  seen: NodeObservation,
  nowMs: number,
): NewObject<Node> {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: identity.name,
      labels: nodeLabels(identity, seen.facts),
      annotations: {
        "volumes.kubernetes.io/controller-managed-attach-detach": "true",
        ...identity.annotations,
      },
    },
    spec: identity.taints.length === 0 ? {} : { taints: identity.taints },
    status: nodeStatus(identity, seen, undefined, nowMs),
  };
}

/** The node's status now. What others wrote into it is kept. */
export function nodeStatus(
  identity: NodeIdentity,
  seen: NodeObservation,
  previous: NodeStatus | undefined,
  nowMs: number,
): NodeStatus {
  const { facts, use } = seen;
  const disk = use.disk.capacityBytes;
  const capacity = {
    cpu: String(facts.cpus),
    "ephemeral-storage": `${Math.floor(disk / 1024)}Ki`,
    "hugepages-1Gi": "0",
    "hugepages-2Mi": "0",
    memory: `${Math.floor(facts.memoryBytes / 1024)}Ki`,
    pods: String(identity.maxPods),
  };
  return {
    ...previous,
    addresses: [
      ...identity.addresses.map((address) => ({ type: "InternalIP", address })),
      { type: "Hostname", address: identity.name },
    ],
    capacity,
    allocatable: {
      ...capacity,
      "ephemeral-storage": String(Math.floor(disk * (1 - diskReserveShare))),
      memory: `${Math.floor((facts.memoryBytes - memoryReserveBytes) / 1024)}Ki`,
    },
    conditions: nodeConditions(seen, previous?.conditions ?? [], nowMs),
    daemonEndpoints: { kubeletEndpoint: { Port: identity.kubeletPort } },
    images: seen.images
      .toSorted((one, other) => other.sizeBytes - one.sizeBytes)
      .slice(0, imagesMax)
      .map(({ names, sizeBytes }) => ({ names, sizeBytes })),
    nodeInfo: {
      architecture: facts.architecture,
      bootID: facts.bootId,
      containerRuntimeVersion: seen.runtimeVersion,
      kernelVersion: facts.kernelVersion,
      kubeProxyVersion: "",
      kubeletVersion: identity.version,
      machineID: facts.machineId,
      operatingSystem: "linux",
      osImage: facts.osImage,
      systemUUID: facts.systemUuid,
    },
  };
}

function nodeConditions(
  { use, runtime }: NodeObservation,
  previous: readonly NodeCondition[],
  nowMs: number,
): readonly NodeCondition[] {
  const memory = use.memoryAvailableBytes < memoryReserveBytes;
  const disk =
    use.disk.availableBytes < use.disk.capacityBytes * diskReserveShare ||
    (use.inodes.total > 0 && use.inodes.free < use.inodes.total * inodeReserveShare);
  const pids = use.pids.max > 0 && use.pids.used >= use.pids.max;
  const computed = [
    memory
      ? ([
          "MemoryPressure",
          "True",
          "KubeletHasInsufficientMemory",
          "kubelet has insufficient memory available",
        ] as const)
      : ([
          "MemoryPressure",
          "False",
          "KubeletHasSufficientMemory",
          "kubelet has sufficient memory available",
        ] as const),
    disk
      ? (["DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure"] as const)
      : ([
          "DiskPressure",
          "False",
          "KubeletHasNoDiskPressure",
          "kubelet has no disk pressure",
        ] as const),
    pids
      ? ([
          "PIDPressure",
          "True",
          "KubeletHasInsufficientPID",
          "kubelet has insufficient PID available",
        ] as const)
      : ([
          "PIDPressure",
          "False",
          "KubeletHasSufficientPID",
          "kubelet has sufficient PID available",
        ] as const),
    runtime.ready
      ? (["Ready", "True", "KubeletReady", "kubelet is posting ready status"] as const)
      : (["Ready", "False", "KubeletNotReady", runtime.message] as const),
  ];
  const now = formatTime(nowMs);
  const own = computed.map(([type, status, reason, message]): NodeCondition => {
    const before = previous.find((condition) => condition.type === type);
    const since = before?.status === status ? before.lastTransitionTime : undefined;
    return {
      type,
      status,
      lastHeartbeatTime: now,
      lastTransitionTime: since ?? now,
      reason,
      message,
    };
  });
  const types = own.map(({ type }) => type);
  return [...previous.filter(({ type }) => !types.includes(type)), ...own];
}

/** Whether the API should hear of `next` now, and not only with the next regular report. */
export function nodeStatusChanged(previous: NodeStatus | undefined, next: NodeStatus): boolean {
  const comparable = (status: NodeStatus | undefined) =>
    JSON.stringify([
      status?.addresses,
      sorted(status?.capacity),
      sorted(status?.allocatable),
      status?.nodeInfo.bootID,
      status?.nodeInfo.containerRuntimeVersion,
      status?.nodeInfo.kubeletVersion,
      status?.nodeInfo.osImage,
      status?.nodeInfo.kernelVersion,
      status?.daemonEndpoints.kubeletEndpoint?.Port,
      status?.images?.map(({ names, sizeBytes }) => [names, sizeBytes]),
      status?.conditions?.map(({ type, status: value, reason, message }) => [
        type,
        value,
        reason,
        message,
      ]),
    ]);
  return comparable(previous) !== comparable(next);
}

function sorted(
  map: Readonly<Record<string, string>> | undefined,
): readonly (readonly [string, string])[] {
  return Object.entries(map ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
}
