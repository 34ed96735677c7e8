import type { Pod } from "../../api/generated/core-v1.generated.ts";
import {
  type ContainerSpec,
  containerHash,
  ephemeralSpecs,
  initSpecs,
  isTerminalPhase,
  mainSpecs,
  restartsAfter,
} from "./container-specs.ts";
import {
  newestContainer,
  type ObservedContainer,
  type ObservedPod,
  type ObservedSandbox,
} from "./observed-pod.ts";

/** What the probes say of one container. */
export interface ProbeVerdict {
  /** No startup probe, or it succeeded. */
  readonly started: boolean;
  /** No readiness probe, or it succeeds. */
  readonly ready: boolean;
  readonly failed: undefined | { readonly probe: "liveness" | "startup"; readonly message: string };
}

export interface PodSituation {
  readonly pod: Pod;
  readonly observed: ObservedPod;
  /** By container id; one without probes is not in it. */
  readonly verdicts: ReadonlyMap<string, ProbeVerdict>;
  /** By container name: it is not started before. */
  readonly notBefore: ReadonlyMap<string, number>;
  /** The pod was active for longer than it may: all is stopped. */
  readonly deadlineExceeded: boolean;
  readonly nowMs: number;
}

export interface ContainerToStop {
  readonly id: string;
  readonly name: string;
}

export type PodAction =
  /** Dead sandboxes in `replaces` still hold an address: it is given back first. */
  | {
      readonly do: "create-sandbox";
      readonly attempt: number;
      readonly replaces: readonly string[];
    }
  | {
      readonly do: "start-container";
      readonly name: string;
      readonly sandboxId: string;
      readonly restartCount: number | undefined;
    }
  | {
      readonly do: "stop-container";
      readonly container: ContainerToStop;
      readonly reason: "Unhealthy" | "Changed";
      readonly message: string;
    }
  /** `together` at once; then `afterwards` one after another; then the sandboxes. */
  | {
      readonly do: "stop-pod";
      readonly together: readonly ContainerToStop[];
      readonly afterwards: readonly ContainerToStop[];
      readonly sandboxIds: readonly string[];
    }
  | { readonly do: "remove-container"; readonly id: string }
  | { readonly do: "remove-sandbox"; readonly id: string }
  /** Nothing runs any more: give back what the pod holds on this node. */
  | { readonly do: "release" }
  /** Nothing is left on this node: the API may forget the pod. */
  | { readonly do: "delete-from-api" };

export interface PodPlan {
  readonly actions: readonly PodAction[];
  /** When to look again though nothing happened. */
  readonly wakeAtMs: number | undefined;
}

/** The dead instances of a container that are kept beside the newest: for `kubectl logs --previous`. */
const deadInstancesKept = 1;

/** What to do next to make the pod on this node what is asked for: in order, up to where the world must be looked at again. */
export function planPod(situation: PodSituation): PodPlan {
  const { pod, observed } = situation;
  const deleted = pod.metadata.deletionTimestamp !== undefined;
  if (
    deleted ||
    isTerminalPhase(pod.status.phase) ||
    situation.deadlineExceeded ||
    isDone(pod, observed)
  ) {
    return { actions: endPod(situation, deleted), wakeAtMs: undefined };
  }
  const sandbox = observed.sandboxes[0];
  const usable = sandbox?.state === "ready" && (pod.spec.hostNetwork || sandbox.ips.length > 0);
  if (sandbox === undefined || !usable) return replaceSandbox(situation, sandbox);
  const wanted = new Wanted(situation, sandbox);
  wanted.addAll();
  return {
    actions: [...wanted.actions, ...removeOld(observed)],
    wakeAtMs: wanted.wakeAtMs,
  };
}

/** True where nothing of the pod will ever run again by itself. */
export function isDone(pod: Pod, observed: ObservedPod): boolean {
  const finished = (container: ContainerSpec) => {
    const newest = newestContainer(observed, container.spec.name);
    return newest?.state === "exited" && !restartsAfter(pod, container, newest.exitCode);
  };
  const failed = (container: ContainerSpec) =>
    finished(container) && newestContainer(observed, container.spec.name)?.exitCode !== 0;
  if (initSpecs(pod).some((init) => init.role === "init" && failed(init))) return true;
  return mainSpecs(pod).every(finished);
}

function endPod({ pod, observed }: PodSituation, deleted: boolean): readonly PodAction[] {
  const live = observed.containers.filter(isLive);
  const readySandboxes = observed.sandboxes.filter((sandbox) => sandbox.state === "ready");
  if (live.length > 0 || readySandboxes.length > 0) {
    return [stopPod(pod, live, readySandboxes)];
  }
  if (!deleted) return [{ do: "release" }];
  return [
    ...observed.containers.map(({ id }) => ({ do: "remove-container", id }) as const),
    ...observed.sandboxes.map(({ id }) => ({ do: "remove-sandbox", id }) as const),
    { do: "release" },
    { do: "delete-from-api" },
  ];
}

function stopPod(
  pod: Pod,
  live: readonly ObservedContainer[],
  sandboxes: readonly ObservedSandbox[],
): PodAction {
  const sidecars = initSpecs(pod)
    .filter(({ role }) => role === "sidecar")
    .map(({ spec }) => spec.name);
  const toStop = ({ id, name }: ObservedContainer) => ({ id, name });
  return {
    do: "stop-pod",
    together: live.filter(({ name }) => !sidecars.includes(name)).map(toStop),
    // The last sidecar to start is the first to stop, and all of them outlive those they serve.
    afterwards: sidecars
      .toReversed()
      .flatMap((name) => live.filter((container) => container.name === name))
      .map(toStop),
    sandboxIds: sandboxes.map(({ id }) => id),
  };
}

function replaceSandbox(
  { pod, observed }: PodSituation,
  sandbox: ObservedSandbox | undefined,
): PodPlan {
  const live = observed.containers.filter(isLive);
  if (live.length > 0 || sandbox?.state === "ready") {
    return {
      actions: [stopPod(pod, live, sandbox === undefined ? [] : [sandbox])],
      wakeAtMs: undefined,
    };
  }
  const attempt = sandbox === undefined ? 0 : sandbox.attempt + 1;
  return {
    actions: [
      ...observed.sandboxes.slice(1).map(({ id }) => ({ do: "remove-sandbox", id }) as const),
      { do: "create-sandbox", attempt, replaces: sandbox === undefined ? [] : [sandbox.id] },
    ],
    wakeAtMs: undefined,
  };
}

function isLive({ state }: ObservedContainer): boolean {
  return state === "running" || state === "unknown";
}

/** Collects what is to be started and stopped in a sandbox that is ready. */
class Wanted {
  readonly actions: PodAction[] = [];
  wakeAtMs: number | undefined;
  readonly #situation: PodSituation;
  readonly #sandbox: ObservedSandbox;

  constructor(situation: PodSituation, sandbox: ObservedSandbox) {
    this.#situation = situation;
    this.#sandbox = sandbox;
  }

  addAll(): void {
    const { pod } = this.#situation;
    const mains = mainSpecs(pod);
    // Once a main container ran in this sandbox, the init containers have had their turn.
    const initialized = mains.some(({ spec }) => {
      const state = this.#newest(spec.name)?.state;
      return state !== undefined && state !== "created";
    });
    for (const container of ephemeralSpecs(pod)) {
      if (newestContainer(this.#situation.observed, container.spec.name) === undefined)
        this.#start(container);
    }
    for (const container of initSpecs(pod)) {
      if (container.role === "sidecar") {
        const started = this.#keepRunning(container);
        if (!started && !initialized) return;
      } else if (!initialized) {
        const newest = this.#newest(container.spec.name);
        if (newest?.state === "exited" && newest.exitCode === 0) continue;
        if (newest?.state !== "running") this.#start(container);
        return;
      }
    }
    for (const container of mains) this.#keepRunning(container);
  }

  #newest(name: string): ObservedContainer | undefined {
    return newestContainer(this.#situation.observed, name, this.#sandbox.id);
  }

  /** Returns whether the container runs and has started as its startup probe sees it. */
  #keepRunning(container: ContainerSpec): boolean {
    const { pod, verdicts, observed } = this.#situation;
    const { name } = container.spec;
    const newest = this.#newest(name);
    if (newest?.state === "running") {
      const verdict = verdicts.get(newest.id);
      if (newest.hash !== containerHash(container.spec)) {
        this.#stop(newest, "Changed", `Container ${name} definition changed, will be restarted`);
      } else if (verdict?.failed !== undefined) {
        const { probe } = verdict.failed;
        const will = restartsAfter(pod, container, 137) ? ", will be restarted" : "";
        this.#stop(newest, "Unhealthy", `Container ${name} failed ${probe} probe${will}`);
      }
      return verdict?.started ?? !hasStartupProbe(container);
    }
    const last = newest ?? newestContainer(observed, name);
    if (last?.state === "exited" && !restartsAfter(pod, container, last.exitCode)) return false;
    this.#start(container);
    return false;
  }

  #stop(container: ObservedContainer, reason: "Unhealthy" | "Changed", message: string): void {
    const { id, name } = container;
    this.actions.push({ do: "stop-container", container: { id, name }, reason, message });
  }

  #start(container: ContainerSpec): void {
    const { notBefore, nowMs, observed } = this.#situation;
    const { name } = container.spec;
    const startAtMs = notBefore.get(name) ?? 0;
    if (startAtMs > nowMs) {
      this.wakeAtMs = Math.min(this.wakeAtMs ?? Number.POSITIVE_INFINITY, startAtMs);
      return;
    }
    const last = newestContainer(observed, name);
    this.actions.push({
      do: "start-container",
      name,
      sandboxId: this.#sandbox.id,
      restartCount: last === undefined ? undefined : last.restartCount + 1,
    });
  }
}

function hasStartupProbe({ spec }: ContainerSpec): boolean {
  return spec.startupProbe !== undefined;
}

/** What no longer tells anybody anything: older instances, and sandboxes without containers. */
function removeOld(observed: ObservedPod): readonly PodAction[] {
  const seen = new Map<string, number>();
  const actions: PodAction[] = [];
  const kept = new Set<string>();
  for (const container of observed.containers) {
    const newer = seen.get(container.name) ?? 0;
    seen.set(container.name, newer + 1);
    const removable = newer > deadInstancesKept && !isLive(container);
    if (removable) actions.push({ do: "remove-container", id: container.id });
    else kept.add(container.sandboxId);
  }
  for (const sandbox of observed.sandboxes.slice(1)) {
    if (sandbox.state !== "ready" && !kept.has(sandbox.id))
      actions.push({ do: "remove-sandbox", id: sandbox.id });
  }
  return actions;
}
