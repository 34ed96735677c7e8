import { ageOf } from "../columns.ts";
import { isConditionTrue } from "../conditions.ts";
import type { ContainerState, ContainerStatus, Pod } from "../generated/core-v1.generated.ts";
import { isRestartableInitContainer } from "./pod-resources.ts";
import { isPodTerminal } from "./pod-status.ts";

/** What `kubectl get pods` says of a pod's state. */
export interface PodSummary {
  readonly readyContainers: number;
  readonly totalContainers: number;
  /** `Running`, `Init:0/1`, `CrashLoopBackOff`, `Terminating` … */
  readonly status: string;
  readonly restarts: number;
  readonly lastRestart: string | undefined;
}

/** `3 (5m ago)` */
export function printRestarts({ restarts, lastRestart }: PodSummary, nowMs: number): string {
  return restarts === 0 || lastRestart === undefined
    ? String(restarts)
    : `${restarts} (${ageOf(lastRestart, nowMs)} ago)`;
}

interface Tally {
  ready: number;
  restarts: number;
  lastRestart: string | undefined;
}

export function summarizePod(pod: Pod): PodSummary {
  const { spec, status } = pod;
  const sidecars = new Set(
    (spec.initContainers ?? []).filter(isRestartableInitContainer).map(({ name }) => name),
  );
  const gated = (status.conditions ?? []).some(
    ({ type, reason }) => type === "PodScheduled" && reason === "SchedulingGated",
  );
  const initial = gated ? "SchedulingGated" : (status.reason ?? status.phase ?? "");
  const init = tallyInitContainers(pod, sidecars);
  let tally: Tally = init.all;
  let reason = init.reason ?? initial;
  if (init.reason === undefined || isConditionTrue(status.conditions, "Initialized")) {
    tally = init.sidecars;
    reason = tallyContainers(pod, tally, reason);
  } else tally.ready = init.sidecars.ready;
  return {
    readyContainers: tally.ready,
    totalContainers: spec.containers.length + sidecars.size,
    status: duringDeletion(pod, reason),
    restarts: tally.restarts,
    lastRestart: tally.lastRestart,
  };
}

function duringDeletion(pod: Pod, reason: string): string {
  if (pod.metadata.deletionTimestamp === undefined) return reason;
  if (pod.status.reason === "NodeLost") return "Unknown";
  return isPodTerminal(pod) ? reason : "Terminating";
}

function countRestarts(tally: Tally, container: ContainerStatus): void {
  tally.restarts += container.restartCount;
  const finished = container.lastState?.terminated?.finishedAt;
  if (finished === undefined) return;
  if (tally.lastRestart === undefined || Date.parse(tally.lastRestart) < Date.parse(finished)) {
    tally.lastRestart = finished;
  }
}

interface InitTally {
  readonly all: Tally;
  readonly sidecars: Tally;
  /** Why the pod's start is not over; `undefined` once it is. */
  readonly reason: string | undefined;
}

function tallyInitContainers(pod: Pod, sidecarNames: ReadonlySet<string>): InitTally {
  const all: Tally = { ready: 0, restarts: 0, lastRestart: undefined };
  const sidecars: Tally = { ready: 0, restarts: 0, lastRestart: undefined };
  const total = pod.spec.initContainers?.length ?? 0;
  for (const [index, container] of (pod.status.initContainerStatuses ?? []).entries()) {
    const isSidecar = sidecarNames.has(container.name);
    countRestarts(all, container);
    if (isSidecar) countRestarts(sidecars, container);
    if (container.state?.terminated?.exitCode === 0) continue;
    if (isSidecar && container.started === true) {
      if (container.ready) sidecars.ready += 1;
      continue;
    }
    return { all, sidecars, reason: initReason(container.state ?? {}, index, total) };
  }
  return { all, sidecars, reason: undefined };
}

function initReason(state: ContainerState, index: number, total: number): string {
  if (state.terminated !== undefined) return `Init:${terminatedReason(state)}`;
  const waiting = state.waiting?.reason ?? "";
  if (waiting !== "" && waiting !== "PodInitializing") return `Init:${waiting}`;
  return `Init:${index}/${total}`;
}

function terminatedReason({ terminated }: ContainerState): string {
  if (terminated === undefined) return "";
  if (terminated.reason !== undefined && terminated.reason !== "") return terminated.reason;
  const signal = terminated.signal ?? 0;
  return signal === 0 ? `ExitCode:${terminated.exitCode}` : `Signal:${signal}`;
}

/** The last word belongs to the first container that has something to say. */
function tallyContainers(pod: Pod, tally: Tally, before: string): string {
  let reason = before;
  let hasRunning = false;
  for (const container of (pod.status.containerStatuses ?? []).toReversed()) {
    countRestarts(tally, container);
    const state = container.state ?? {};
    const waiting = state.waiting?.reason ?? "";
    if (waiting !== "") reason = waiting;
    else if (state.terminated !== undefined) reason = terminatedReason(state);
    else if (container.ready && state.running !== undefined) {
      hasRunning = true;
      tally.ready += 1;
    }
  }
  if (reason !== "Completed" || !hasRunning) return reason;
  return isConditionTrue(pod.status.conditions, "Ready") ? "Running" : "NotReady";
}
