import { findCondition, withCondition } from "../../api/conditions.ts";
import type {
  ContainerState,
  ContainerStateTerminated,
  ContainerStatus,
  Pod,
  PodCondition,
  PodStatus,
} from "../../api/generated/core-v1.generated.ts";
import { formatTime } from "../../api/time.ts";
import {
  type ContainerSpec,
  ephemeralSpecs,
  initSpecs,
  isTerminalPhase,
  mainSpecs,
  restartsAfter,
} from "./container-specs.ts";
import { newestContainer, type ObservedContainer, type ObservedPod } from "./observed-pod.ts";
import { isDone, type ProbeVerdict } from "./plan-pod.ts";
import { qosClassOf } from "./resources.ts";

/** Why a container does not run, in the words that `kubectl get pods` shows. */
export interface WaitingReason {
  readonly reason: string;
  readonly message: string;
}

export interface StatusInput {
  readonly pod: Pod;
  readonly observed: ObservedPod;
  readonly verdicts: ReadonlyMap<string, ProbeVerdict>;
  /** By container name: why the last try to start it failed, or why it is not tried. */
  readonly waiting: ReadonlyMap<string, WaitingReason>;
  readonly deadlineExceeded: boolean;
  readonly hostIps: readonly string[];
  readonly nowMs: number;
}

/** The runtime that container ids belong to, as `containerID` names it. */
const idPrefix = "containerd://";

/** The status of a pod as its node sees it. Conditions of others, and all that others own, are kept. */
export function podStatus(input: StatusInput): PodStatus {
  const { pod, observed, hostIps, nowMs } = input;
  const previous = pod.status;
  const initContainerStatuses = initSpecs(pod).map((spec) => containerStatus(input, spec));
  const containerStatuses = mainSpecs(pod).map((spec) => containerStatus(input, spec));
  const ephemeralContainerStatuses = ephemeralSpecs(pod).map((spec) =>
    containerStatus(input, spec),
  );
  // Who sees a pod as ended may count on it that nothing of it runs any more, sidecars included.
  const stillRuns = observed.containers.some(({ state }) => state === "running");
  const decided = input.deadlineExceeded
    ? ("Failed" as const)
    : phaseOf(pod, observed, initContainerStatuses, containerStatuses);
  const computed =
    stillRuns && isTerminalPhase(decided) ? (previous.phase ?? ("Running" as const)) : decided;
  // What ended stays ended.
  const phase =
    previous.phase !== undefined && isTerminalPhase(previous.phase) ? previous.phase : computed;
  const sandbox = observed.sandboxes[0];
  const ownIps = sandbox?.state === "ready" ? sandbox.ips : [];
  const ips = pod.spec.hostNetwork === true ? hostIps : ownIps;
  const podIps =
    ips.length > 0
      ? ips
      : (previous.podIPs ?? []).map(({ ip }) => ip).filter((ip) => ip !== undefined);
  const reason =
    input.deadlineExceeded && !stillRuns
      ? {
          reason: "DeadlineExceeded",
          message: "Pod was active on the node longer than the specified deadline",
        }
      : {
          ...(previous.reason === undefined ? {} : { reason: previous.reason }),
          ...(previous.message === undefined ? {} : { message: previous.message }),
        };
  const [hostIp] = hostIps;
  const [podIp] = podIps;
  return {
    ...omit(previous, ["reason", "message", "podIP", "podIPs", "hostIP", "hostIPs"]),
    ...(pod.metadata.generation === undefined
      ? {}
      : { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: conditionsOf(input, phase, initContainerStatuses, containerStatuses),
    ...reason,
    ...(hostIp === undefined ? {} : { hostIP: hostIp, hostIPs: hostIps.map((ip) => ({ ip })) }),
    ...(podIp === undefined ? {} : { podIP: podIp, podIPs: podIps.map((ip) => ({ ip })) }),
    startTime: previous.startTime ?? formatTime(nowMs),
    qosClass: previous.qosClass ?? qosClassOf(pod),
    ...(initContainerStatuses.length === 0 ? {} : { initContainerStatuses }),
    containerStatuses,
    ...(ephemeralContainerStatuses.length === 0 ? {} : { ephemeralContainerStatuses }),
  };
}

function omit<T extends object, K extends keyof T>(value: T, keys: readonly K[]): Omit<T, K> {
  const copy: Partial<T> = { ...value };
  for (const key of keys) delete copy[key];
  return copy as Omit<T, K>;
}

function containerStatus(input: StatusInput, container: ContainerSpec): ContainerStatus {
  const { pod, observed, waiting, verdicts } = input;
  const { name } = container.spec;
  const instances = observed.containers.filter((instance) => instance.name === name);
  const [newest, older] = instances;
  const before = previousStatus(pod, name);
  const shared = {
    name,
    volumeMounts: (container.spec.volumeMounts ?? []).map(
      ({ name: volume, mountPath, readOnly }) => ({
        name: volume,
        mountPath,
        ...(readOnly === true ? { readOnly, recursiveReadOnly: "Disabled" } : {}),
      }),
    ),
    ...(container.spec.resources?.requests === undefined
      ? {}
      : { allocatedResources: container.spec.resources.requests }),
    ...(container.spec.resources === undefined ? {} : { resources: container.spec.resources }),
  };
  if (newest === undefined)
    return { ...unseenStatus(input, container, before), ...withoutEmpty(shared) };

  const verdict = verdicts.get(newest.id);
  const running = newest.state === "running";
  // Before the first probe of an adopted container, it is as it was when mini8s stopped.
  const adopted = before?.containerID === idPrefix + newest.id ? before : undefined;
  const started =
    running &&
    (verdict?.started ?? (container.spec.startupProbe === undefined || adopted?.started === true));
  const why = waiting.get(name);
  const runsAgain = newest.state !== "exited" || restartsAfter(pod, container, newest.exitCode);
  const own = stateOf(newest);
  const showWaiting =
    why !== undefined &&
    !running &&
    runsAgain &&
    !isTerminalPhase(pod.status.phase) &&
    pod.metadata.deletionTimestamp === undefined;
  // While it waits to be started again, its end is the last state.
  const state: ContainerState = showWaiting ? { waiting: why } : own;
  const lastTerminated = showWaiting && newest.state === "exited" ? own : older && stateOf(older);
  const ready =
    container.role === "init"
      ? newest.state === "exited" && newest.exitCode === 0
      : started &&
        (verdict?.ready ??
          (container.spec.readinessProbe === undefined || adopted?.ready === true));
  return {
    ...withoutEmpty(shared),
    state,
    lastState: lastTerminated?.terminated === undefined ? {} : lastTerminated,
    ready,
    restartCount: newest.restartCount,
    image: newest.image || (container.spec.image ?? ""),
    imageID: newest.imageId,
    containerID: idPrefix + newest.id,
    started,
  };
}

function withoutEmpty<T extends { readonly volumeMounts: readonly unknown[] }>(
  shared: T,
): T | Omit<T, "volumeMounts"> {
  return shared.volumeMounts.length > 0 ? shared : omit(shared, ["volumeMounts"]);
}

function previousStatus(pod: Pod, name: string): ContainerStatus | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
  return [...initContainerStatuses, ...containerStatuses].find((status) => status.name === name);
}

/** The status of a container that the runtime knows nothing of: not started yet, or lost with a reboot. */
function unseenStatus(
  { pod, waiting, observed }: StatusInput,
  container: ContainerSpec,
  before: ContainerStatus | undefined,
): Omit<ContainerStatus, "volumeMounts"> {
  const { name, image = "" } = container.spec;
  const base = { name, image, imageID: before?.imageID ?? "", ready: false, started: false };
  const lost = before?.containerID !== undefined && observed.containers.length === 0;
  if (before?.state.terminated !== undefined && lost && !restartsLost(pod, container, before)) {
    return { ...before, ready: before.ready };
  }
  const why = waiting.get(name);
  const defaultReason = initSpecs(pod).length > 0 ? "PodInitializing" : "ContainerCreating";
  const state: ContainerState = { waiting: why ?? { reason: defaultReason } };
  if (lost && before.state.running !== undefined) {
    const terminated: ContainerStateTerminated = {
      reason: "ContainerStatusUnknown",
      message:
        "The container could not be located when the pod was terminated.  The container used to be Running",
      exitCode: 137,
      ...(before.containerID === undefined ? {} : { containerID: before.containerID }),
      ...(before.state.running.startedAt === undefined
        ? {}
        : { startedAt: before.state.running.startedAt }),
    };
    const restartCount =
      before.restartCount + (pod.metadata.deletionTimestamp === undefined ? 1 : 0);
    return { ...base, state, lastState: { terminated }, restartCount };
  }
  return {
    ...base,
    state,
    lastState: before?.lastState ?? {},
    restartCount: before?.restartCount ?? 0,
  };
}

function restartsLost(pod: Pod, container: ContainerSpec, before: ContainerStatus): boolean {
  return restartsAfter(pod, container, before.state.terminated?.exitCode ?? 0);
}

function stateOf(container: ObservedContainer): ContainerState {
  switch (container.state) {
    case "running":
      return { running: { startedAt: formatTime(container.startedAtMs) } };
    case "exited":
      return {
        terminated: {
          exitCode: container.exitCode,
          reason: container.reason || (container.exitCode === 0 ? "Completed" : "Error"),
          ...(container.message === "" ? {} : { message: container.message }),
          ...(container.startedAtMs === 0 ? {} : { startedAt: formatTime(container.startedAtMs) }),
          ...(container.finishedAtMs === 0
            ? {}
            : { finishedAt: formatTime(container.finishedAtMs) }),
          containerID: idPrefix + container.id,
        },
      };
    case "created":
      return { waiting: { reason: "ContainerCreating" } };
    case "unknown":
      return {
        terminated: {
          exitCode: 137,
          reason: "ContainerStatusUnknown",
          message: "The container could not be located when the pod was terminated",
          containerID: idPrefix + container.id,
        },
      };
  }
}

function phaseOf(
  pod: Pod,
  observed: ObservedPod,
  inits: readonly ContainerStatus[],
  mains: readonly ContainerStatus[],
): "Pending" | "Running" | "Succeeded" | "Failed" {
  if (isDone(pod, observed)) {
    const failed = [
      ...initSpecs(pod).filter(({ role }) => role === "init"),
      ...mainSpecs(pod),
    ].some(({ spec }) => (newestContainer(observed, spec.name)?.exitCode ?? 0) !== 0);
    return failed ? "Failed" : "Succeeded";
  }
  const ended = mains.every(({ state }) => state.terminated !== undefined);
  const restarts = mainSpecs(pod).some((container, index) =>
    restartsAfter(pod, container, mains[index]?.state.terminated?.exitCode ?? 0),
  );
  // Known from the API alone: the runtime has forgotten what had ended.
  if (observed.containers.length === 0 && mains.length > 0 && ended && !restarts) {
    return mains.some(({ state }) => state.terminated?.exitCode !== 0) ? "Failed" : "Succeeded";
  }
  const initializing = initSpecs(pod).some(({ role }, index) => {
    const status = inits[index];
    if (role === "sidecar")
      return (
        status?.started !== true &&
        status?.lastState.terminated === undefined &&
        status?.state.terminated === undefined
      );
    return status?.state.terminated?.exitCode !== 0;
  });
  const anyRan = mains.some(
    ({ state, lastState }) =>
      state.running !== undefined ||
      state.terminated !== undefined ||
      lastState.terminated !== undefined,
  );
  if (initializing && !anyRan) return "Pending";
  const neverRan = mains.some(
    ({ state, lastState }) => state.waiting !== undefined && lastState.terminated === undefined,
  );
  return neverRan ? "Pending" : "Running";
}

function conditionsOf(
  input: StatusInput,
  phase: string,
  inits: readonly ContainerStatus[],
  mains: readonly ContainerStatus[],
): readonly PodCondition[] {
  const { pod, observed } = input;
  const sandbox = observed.sandboxes[0];
  const sandboxReady =
    sandbox?.state === "ready" && (pod.spec.hostNetwork === true || sandbox.ips.length > 0);
  const containersReady = containersReadyCondition(pod, phase, mains, inits);
  const computed: readonly PodCondition[] = [
    { type: "PodReadyToStartContainers", status: sandboxReady ? "True" : "False" },
    initializedCondition(pod, phase, inits, mains),
    readyCondition(pod, containersReady),
    { ...containersReady, type: "ContainersReady" },
    { type: "PodScheduled", status: "True" },
  ];
  const { generation } = pod.metadata;
  let conditions = pod.status.conditions ?? [];
  for (const condition of computed) {
    conditions = withCondition(conditions, {
      ...condition,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      lastTransitionTime: formatTime(input.nowMs),
    });
  }
  // In the order in which `kubectl describe pod` shows them everywhere.
  const own = computed.flatMap(({ type }) => findCondition(conditions, type) ?? []);
  return [...own, ...conditions.filter((condition) => !own.includes(condition))];
}

function initializedCondition(
  pod: Pod,
  phase: string,
  inits: readonly ContainerStatus[],
  mains: readonly ContainerStatus[],
): PodCondition {
  const type = "Initialized";
  if (phase === "Succeeded") return { type, status: "True", reason: "PodCompleted" };
  if (mains.some(({ state }) => state.running !== undefined)) return { type, status: "True" };
  const incomplete = initSpecs(pod)
    .filter(({ role }, index) => {
      const status = inits[index];
      return role === "sidecar" ? status?.started !== true : status?.ready !== true;
    })
    .map(({ spec }) => spec.name);
  if (incomplete.length === 0) return { type, status: "True" };
  return {
    type,
    status: "False",
    reason: "ContainersNotInitialized",
    message: `containers with incomplete status: ${goList(incomplete)}`,
  };
}

function containersReadyCondition(
  pod: Pod,
  phase: string,
  mains: readonly ContainerStatus[],
  inits: readonly ContainerStatus[],
): PodCondition {
  const type = "ContainersReady";
  if (phase === "Succeeded") return { type, status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { type, status: "False", reason: "PodFailed" };
  const sidecars = initSpecs(pod).flatMap(({ role }, index) => {
    const status = inits[index];
    return role === "sidecar" && status !== undefined ? [status] : [];
  });
  const unready = [...sidecars, ...mains].filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return { type, status: "True" };
  return {
    type,
    status: "False",
    reason: "ContainersNotReady",
    message: `containers with unready status: ${goList(unready)}`,
  };
}

function readyCondition(pod: Pod, containersReady: PodCondition): PodCondition {
  const type = "Ready";
  if (containersReady.status !== "True") return { ...containersReady, type };
  const closed = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const found = pod.status.conditions?.find((condition) => condition.type === conditionType);
    if (found === undefined)
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (found.status === "True") return [];
    return [
      `the status of pod readiness gate "${conditionType}" is not "True", but ${found.status}`,
    ];
  });
  if (closed.length === 0) return { type, status: "True" };
  return { type, status: "False", reason: "ReadinessGatesNotReady", message: closed.join(", ") };
}

/** As Go prints a list of strings. */
function goList(names: readonly string[]): string {
  return `[${names.join(" ")}]`;
}
