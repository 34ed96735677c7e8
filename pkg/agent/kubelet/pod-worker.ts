import { isDeepStrictEqual } from "node:util";
import { ApiError } from "../../api/api-error.ts";
import type { Container, Pod, PodStatus } from "../../api/generated/core-v1.generated.ts";
import { keyOf } from "../../api/object.ts";
import { podResource } from "../../api/resources/pod.ts";
import { parseTime } from "../../api/time.ts";
import { isAbortOf } from "../../base/abort.ts";
import { type BackoffPolicy, backoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/recorder.ts";
import { RpcError } from "../cri/connect.ts";
import type { RuntimeService } from "../cri/runtime.ts";
import type { Mounts } from "../host/mounts.ts";
import { type PodApplier, type PodContext, podIpsOf } from "./apply-pod.ts";
import { allSpecs, isTerminalPhase, restartsAfter } from "./container-specs.ts";
import { type Images, StartError, type Tell } from "./images.ts";
import type { Observer } from "./observe.ts";
import { newestContainer, nothingObserved, type ObservedPod } from "./observed-pod.ts";
import { type PodAction, planPod } from "./plan-pod.ts";
import { podStatus, type WaitingReason } from "./pod-status.ts";
import { type PodFolders, setUpVolumes } from "./pod-volumes.ts";
import { createProber, type Prober, type ProbeTarget } from "./probes.ts";
import type { ReferencedObjects } from "./referenced-objects.ts";
import { formatDelay, RestartBackoff } from "./restart-backoff.ts";
import type { ServiceAccountTokens } from "./service-account-tokens.ts";
import type { VolumeOutcome } from "./volumes/volume.ts";

export interface PodWorkerDeps {
  readonly client: Pick<Client, "patch" | "delete">;
  readonly runtime: Pick<
    RuntimeService,
    "execSync" | "removeContainer" | "stopPodSandbox" | "removePodSandbox"
  >;
  readonly observer: Observer;
  readonly applier: PodApplier;
  readonly objects: ReferencedObjects;
  readonly tokens: ServiceAccountTokens;
  readonly images: Images;
  readonly mounts: Mounts;
  readonly recorder: EventRecorder;
  readonly folders: PodFolders;
  readonly hostIps: () => readonly string[];
  readonly allocatable: () => Readonly<Record<string, string>>;
  /** Whether the runtime has told that this container or sandbox ended. */
  hasEnded(id: string): boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

const syncBackoff: BackoffPolicy = { firstMs: 500, maxMs: 60_000 };
const volumeBackoff: BackoffPolicy = { firstMs: 500, maxMs: 122_000 };
const statusBackoff: BackoffPolicy = { firstMs: 200, maxMs: 10_000 };
/** The runtime tells of an end a moment before it shows it. */
const exitLagMs = 15;
const exitLagTriesMax = 200;
const graceSecondsDefault = 30;
const imageReasons = ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull"];

/**
 * Makes one pod on this node what the API asks for. Two loops: one decides and acts, one step after another; the
 * other tells the API what is, also while a step takes its time. Both run when woken, and look at the level.
 */
export class PodWorker {
  readonly #deps: PodWorkerDeps;
  readonly #prober: Prober;
  readonly #act: Loop;
  readonly #report: Loop;
  readonly #backoff = new RestartBackoff();
  readonly #stopped = new AbortController();
  /** Ends the step under way: the pod is to be deleted, or sooner than before. */
  #interrupt = new AbortController();
  #pod: Pod;
  /** The API has no such pod any more: what is left of it here is taken away at once. */
  #orphaned = false;
  #observed: ObservedPod;
  #volumes: ReadonlyMap<string, VolumeOutcome> | undefined;
  #volumesStale = true;
  #volumeFailures = 0;
  #volumesRetryAtMs = 0;
  readonly #waiting = new Map<string, WaitingReason>();
  readonly #notBefore = new Map<string, number>();
  readonly #told = new Set<string>();
  #lagTries = 0;
  #released = false;
  /** Containers are being removed: what is seen from now on is no status. */
  #removing = false;
  #cancelWake = () => {};
  readonly done: Promise<void>;

  constructor(deps: PodWorkerDeps, pod: Pod, options: { readonly orphaned: boolean }) {
    this.#deps = deps;
    this.#pod = pod;
    this.#orphaned = options.orphaned;
    this.#observed = nothingObserved(pod);
    this.#prober = createProber({
      runtime: deps.runtime,
      clock: deps.clock,
      onChange: () => this.wake(),
      onFailure: (container, kind, message) =>
        this.#tellContainer(container.name)(
          "Warning",
          "Unhealthy",
          `${kind} probe failed: ${message}`,
        ),
    });
    const { signal } = this.#stopped;
    const onError = (what: string) => (caught: unknown) => {
      // That the runtime is away is told once, by those who watch it.
      const away = caught instanceof RpcError && caught.code === "UNAVAILABLE";
      deps.logger[away ? "debug" : "warn"](what, { pod: keyOf(pod), error: String(caught) });
    };
    this.#act = new Loop(
      () => this.#sync(),
      deps.clock,
      syncBackoff,
      onError("pod is not as it should be yet"),
    );
    this.#report = new Loop(
      () => this.#reportStatus(),
      deps.clock,
      statusBackoff,
      onError("pod status cannot be written yet"),
    );
    this.done = this.#run(signal);
    this.#act.wake();
  }

  get pod(): Pod {
    return this.#pod;
  }

  get observed(): ObservedPod {
    return this.#observed;
  }

  /** Something may have changed: look again. */
  wake(): void {
    this.#act.wake();
    this.#report.wake();
  }

  /** A ConfigMap or Secret that the pod names has changed. */
  refreshVolumes(): void {
    this.#volumesStale = true;
    this.#volumesRetryAtMs = 0;
    for (const [name, { reason }] of this.#waiting)
      if (reason === "CreateContainerConfigError") this.#notBefore.delete(name);
    this.wake();
  }

  /** Images have come: what waits for one need not wait any longer. */
  retryImages(): void {
    for (const [name, { reason }] of this.#waiting)
      if (imageReasons.includes(reason)) this.#notBefore.delete(name);
    this.wake();
  }

  /** The API's newest version of the pod. */
  update(pod: Pod): void {
    if (Number(pod.metadata.resourceVersion) <= Number(this.#pod.metadata.resourceVersion)) return;
    const before = this.#pod;
    this.#pod = pod;
    const deleted = pod.metadata.deletionTimestamp !== undefined;
    const sooner =
      (pod.metadata.deletionGracePeriodSeconds ?? Number.POSITIVE_INFINITY) <
      (before.metadata.deletionGracePeriodSeconds ?? Number.POSITIVE_INFINITY);
    if (deleted && sooner) this.#interrupt.abort(new Error("the pod is being deleted"));
    // Files that show the pod's own fields follow it.
    const { labels, annotations } = before.metadata;
    if (
      !isDeepStrictEqual(labels, pod.metadata.labels) ||
      !isDeepStrictEqual(annotations, pod.metadata.annotations)
    )
      this.#volumesStale = true;
    this.wake();
  }

  /** The API has forgotten the pod. */
  orphan(): void {
    if (this.#orphaned) return;
    this.#orphaned = true;
    this.#interrupt.abort(new Error("the pod is gone"));
    this.wake();
  }

  /** Ends the worker, not the pod. */
  stop(): void {
    this.#stopped.abort();
    this.#interrupt.abort(this.#stopped.signal.reason);
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      await Promise.all([this.#act.run(signal), this.#report.run(signal)]);
    } finally {
      this.#cancelWake();
      await this.#prober.stop();
      this.#deps.objects.release(this.#pod.metadata.uid);
    }
  }

  async #look(signal: AbortSignal): Promise<ObservedPod> {
    const { observer, clock } = this.#deps;
    const observed = await observer.look(
      {
        uid: this.#pod.metadata.uid,
        namespace: this.#pod.metadata.namespace ?? "",
        name: this.#pod.metadata.name,
      },
      signal,
    );
    this.#observed = observed;
    const { hasEnded } = this.#deps;
    const lagging =
      observed.containers.some(({ id, state }) => state === "running" && hasEnded(id)) ||
      observed.sandboxes.some(({ id, state }) => state === "ready" && hasEnded(id));
    this.#lagTries = lagging ? this.#lagTries + 1 : 0;
    if (lagging && this.#lagTries <= exitLagTriesMax) clock.after(exitLagMs, () => this.wake());
    return observed;
  }

  #deadlineAtMs(): number | undefined {
    const { activeDeadlineSeconds } = this.#pod.spec;
    const started = parseTime(this.#pod.status.startTime);
    if (activeDeadlineSeconds === undefined || started === undefined) return undefined;
    return started + activeDeadlineSeconds * 1000;
  }

  #deadlineExceeded(): boolean {
    const deadline = this.#deadlineAtMs();
    return deadline !== undefined && this.#deps.clock.now() >= deadline;
  }

  /** One pass; an interruption only means that another follows. */
  async #sync(): Promise<void> {
    if (this.#interrupt.signal.aborted && !this.#stopped.signal.aborted)
      this.#interrupt = new AbortController();
    const { signal } = this.#interrupt;
    try {
      await this.#pass(signal);
    } catch (caught) {
      if (!isAbortOf(signal, caught)) throw caught;
      this.wake();
    }
  }

  /** Look, decide, act. */
  async #pass(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const observed = await this.#look(signal);
    const pod = this.#wantedPod();
    const ending =
      pod.metadata.deletionTimestamp !== undefined || isTerminalPhase(pod.status.phase);
    this.#trackProbes(pod, observed, ending);
    if (!ending) this.#noteBackoffs(pod, observed);
    let volumesWakeAtMs: number | undefined;
    if (!ending) volumesWakeAtMs = await this.#keepVolumes(pod, observed, signal);
    const plan = planPod({
      pod,
      observed,
      verdicts: this.#prober.verdicts(),
      notBefore: this.#notBefore,
      deadlineExceeded: this.#deadlineExceeded(),
      nowMs: clock.now(),
    });
    this.#report.wake();
    let acted = false;
    for (const action of plan.actions) {
      if (!ending && this.#volumes === undefined && needsVolumes(action)) continue;
      if (await this.#apply(pod, action, signal)) acted = true;
      if (this.#finished) return;
      if (this.#act.woken && action.do !== "start-container") break;
    }
    if (acted) this.wake();
    this.#wakeAt([plan.wakeAtMs, volumesWakeAtMs, ending ? undefined : this.#deadlineAtMs()]);
  }

  /** A pod that the API has forgotten is one to delete without grace. */
  #wantedPod(): Pod {
    if (!this.#orphaned) return this.#pod;
    return {
      ...this.#pod,
      metadata: {
        ...this.#pod.metadata,
        deletionTimestamp:
          this.#pod.metadata.deletionTimestamp ?? this.#pod.metadata.creationTimestamp,
        deletionGracePeriodSeconds: 0,
      },
    };
  }

  #finished = false;

  #wakeAt(times: readonly (number | undefined)[]): void {
    this.#cancelWake();
    const now = this.#deps.clock.now();
    const future = times.filter((time) => time !== undefined && time > now) as readonly number[];
    if (future.length === 0) return;
    // Node's timers hold 24 days; to wake early is to look once more.
    const delayMs = Math.min(2 ** 31 - 1, Math.min(...future) - now);
    this.#cancelWake = this.#deps.clock.after(Math.ceil(delayMs), () => this.wake());
  }

  #trackProbes(pod: Pod, observed: ObservedPod, ending: boolean): void {
    const podIp = podIpsOf(pod, observed, this.#deps.hostIps())[0] ?? "";
    const targets: ProbeTarget[] = [];
    const leaving = pod.metadata.deletionTimestamp !== undefined;
    const over = ending && (!leaving || this.#orphaned || isTerminalPhase(pod.status.phase));
    for (const { spec, role } of over ? [] : allSpecs(pod)) {
      const running = newestContainer(observed, spec.name);
      if (running?.state !== "running" || role === "init" || role === "ephemeral") continue;
      const before = [
        ...(pod.status.containerStatuses ?? []),
        ...(pod.status.initContainerStatuses ?? []),
      ].find(({ containerID }) => containerID === `containerd://${running.id}`);
      targets.push({
        containerId: running.id,
        container: spec as Container,
        podIp,
        startedAtMs: running.startedAtMs,
        before:
          before === undefined
            ? undefined
            : { ready: before.ready, started: before.started === true },
        leaving,
      });
    }
    this.#prober.track(targets);
  }

  #noteBackoffs(pod: Pod, observed: ObservedPod): void {
    const now = this.#deps.clock.now();
    for (const container of allSpecs(pod)) {
      const { name } = container.spec;
      const newest = newestContainer(observed, name);
      if (newest?.state === "running") {
        this.#waiting.delete(name);
        this.#notBefore.delete(name);
        continue;
      }
      if (newest?.state !== "exited" || !restartsAfter(pod, container, newest.exitCode)) continue;
      const delayMs = this.#backoff.delayMs(name, newest.finishedAtMs);
      const until = newest.finishedAtMs + delayMs;
      if (delayMs === 0 || until <= now) continue;
      this.#notBefore.set(name, Math.max(until, this.#notBefore.get(name) ?? 0));
      const where = `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
      this.#waiting.set(name, {
        reason: "CrashLoopBackOff",
        message: `back-off ${formatDelay(delayMs)} restarting failed container=${name} pod=${where}`,
      });
      if (this.#told.has(newest.id)) continue;
      this.#told.add(newest.id);
      this.#tellContainer(name)(
        "Warning",
        "BackOff",
        `Back-off restarting failed container ${name} in pod ${where}`,
      );
    }
  }

  /** Sets the volumes up or brings them up to date; returns when to look again. */
  async #keepVolumes(
    pod: Pod,
    observed: ObservedPod,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { clock, objects, tokens, folders, mounts, hostIps, allocatable } = this.#deps;
    const renewals = () =>
      [...(this.#volumes?.values() ?? [])].map(
        ({ renewAtMs }) => renewAtMs ?? Number.POSITIVE_INFINITY,
      );
    const due = Math.min(Number.POSITIVE_INFINITY, ...renewals()) <= clock.now();
    if (!this.#volumesStale && !due) return Math.min(...renewals());
    if (this.#volumesRetryAtMs > clock.now()) return this.#volumesRetryAtMs;
    this.#volumesStale = false;
    const { namespace = "" } = pod.metadata;
    try {
      await objects.reference(pod, signal);
      const services = {
        mounts,
        configMap: (name: string) => objects.configMap(namespace, name),
        secret: (name: string) => objects.secret(namespace, name),
        token: (audience: string | undefined, seconds: number, stop: AbortSignal) =>
          tokens.get(pod, audience, seconds, stop),
      };
      const fields = {
        pod,
        podIps: podIpsOf(pod, observed, hostIps()),
        hostIps: hostIps(),
        allocatable: allocatable(),
      };
      this.#volumes = await setUpVolumes(pod, folders, services, fields, signal);
      this.#volumeFailures = 0;
      return Math.min(...renewals());
    } catch (caught) {
      this.#volumesStale = true;
      signal.throwIfAborted();
      this.#volumeFailures += 1;
      this.#volumesRetryAtMs = clock.now() + backoffMs(volumeBackoff, this.#volumeFailures);
      this.#tell(
        "Warning",
        "FailedMount",
        caught instanceof Error ? caught.message : String(caught),
      );
      return this.#volumesRetryAtMs;
    }
  }

  /** Returns whether the world has changed by it. */
  async #apply(pod: Pod, action: PodAction, signal: AbortSignal): Promise<boolean> {
    const { applier, runtime, clock } = this.#deps;
    const context: PodContext = {
      pod,
      observed: this.#observed,
      volumes: this.#volumes ?? new Map(),
      tell: this.#tell,
      tellContainer: (name) => this.#tellContainer(name),
    };
    switch (action.do) {
      case "create-sandbox":
        if (action.attempt > 0)
          this.#tell(
            "Normal",
            "SandboxChanged",
            "Pod sandbox changed, it will be killed and re-created.",
          );
        for (const id of action.replaces) await runtime.stopPodSandbox(id, { signal });
        await applier.createSandbox(context, action.attempt, signal);
        // The address is part of the pod's own fields.
        this.#volumesStale ||= [...(this.#volumes?.keys() ?? [])].length > 0 && showsFields(pod);
        return true;
      case "start-container": {
        const last = newestContainer(this.#observed, action.name);
        if (last?.state === "exited")
          this.#backoff.restarted(action.name, last.finishedAtMs, clock.now());
        try {
          await applier.startContainer(context, action, signal);
          this.#waiting.delete(action.name);
          this.#notBefore.delete(action.name);
        } catch (caught) {
          if (!(caught instanceof StartError)) throw caught;
          this.#waiting.set(action.name, { reason: caught.reason, message: caught.message });
          this.#notBefore.set(action.name, caught.retryAtMs);
        }
        return true;
      }
      case "stop-container":
        await applier.stopContainer(
          context,
          action.container,
          this.#graceSeconds(pod, action.container.name, action.reason === "Unhealthy"),
          action.message,
          signal,
        );
        return true;
      case "stop-pod":
        await applier.stopPod(context, action, this.#graceSeconds(pod, undefined, false), signal);
        return true;
      case "remove-container":
        // The API is told of the end before the runtime forgets it.
        if (pod.metadata.deletionTimestamp !== undefined) await this.#lastReport();
        await runtime.removeContainer(action.id, { signal });
        return false;
      case "remove-sandbox":
        if (pod.metadata.deletionTimestamp !== undefined) await this.#lastReport();
        // One that died by itself was never stopped, and is not removed before its network is.
        await runtime.stopPodSandbox(action.id, { signal });
        await runtime.removePodSandbox(action.id, { signal });
        return false;
      case "release":
        // A sandbox that died by itself, as all do at a power failure, holds its address until it is stopped.
        if (!this.#released)
          for (const { id } of this.#observed.sandboxes)
            await runtime.stopPodSandbox(id, { signal });
        if (!this.#released || pod.metadata.deletionTimestamp !== undefined)
          await applier.release(pod, pod.metadata.deletionTimestamp !== undefined, signal);
        this.#released = true;
        return false;
      case "delete-from-api":
        await this.#lastReport();
        await this.#deleteFromApi(signal);
        return false;
    }
  }

  #graceSeconds(pod: Pod, name: string | undefined, unhealthy: boolean): number {
    const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
    if (deletionTimestamp !== undefined && deletionGracePeriodSeconds !== undefined)
      return deletionGracePeriodSeconds;
    const spec = allSpecs(pod).find((container) => container.spec.name === name)?.spec;
    const probe = spec?.livenessProbe?.terminationGracePeriodSeconds;
    const grace = pod.spec.terminationGracePeriodSeconds ?? graceSecondsDefault;
    return unhealthy && probe !== undefined ? probe : grace;
  }

  async #lastReport(): Promise<void> {
    if (this.#removing || this.#orphaned) return;
    await this.#writeStatus(this.#observed);
    this.#removing = true;
  }

  async #deleteFromApi(signal: AbortSignal): Promise<void> {
    const { client, observer, tokens, images } = this.#deps;
    const { uid } = this.#pod.metadata;
    if (!this.#orphaned) {
      try {
        await client.delete(podResource, keyOf(this.#pod), signal, {
          gracePeriodSeconds: 0,
          preconditions: { uid },
        });
      } catch (caught) {
        // Another pod of this name: ours is gone already.
        if (!(caught instanceof ApiError && caught.reason === "Conflict")) throw caught;
      }
    }
    observer.forget(uid);
    tokens.forget(uid);
    images.forget(uid);
    this.#finished = true;
    this.stop();
  }

  async #reportStatus(): Promise<void> {
    if (this.#removing || this.#orphaned) return;
    await this.#writeStatus(await this.#look(this.#stopped.signal));
  }

  async #writeStatus(observed: ObservedPod): Promise<void> {
    const { client, clock, hostIps } = this.#deps;
    const pod = this.#pod;
    const next = podStatus({
      pod,
      observed,
      verdicts: this.#prober.verdicts(),
      waiting: this.#waiting,
      deadlineExceeded: this.#deadlineExceeded(),
      hostIps: hostIps(),
      nowMs: clock.now(),
    });
    const changes = changedFields(pod.status, next);
    if (changes === undefined) return;
    try {
      const written = await client.patch(
        podResource,
        keyOf(pod),
        { type: "merge", patch: { metadata: { uid: pod.metadata.uid }, status: changes } },
        this.#stopped.signal,
        { subresource: "status" },
      );
      this.update(written);
    } catch (caught) {
      // Deleted meanwhile: the informer will tell.
      if (caught instanceof ApiError && ["NotFound", "Conflict"].includes(caught.reason)) return;
      throw caught;
    }
  }

  readonly #tell: Tell = (type, reason, message) =>
    this.#deps.recorder.event(this.#pod, type, reason, message);

  #tellContainer(name: string): Tell {
    const { metadata, spec } = this.#pod;
    const inits = spec.initContainers?.some((container) => container.name === name) === true;
    const debug = spec.ephemeralContainers?.some((container) => container.name === name) === true;
    const list = inits ? "initContainers" : debug ? "ephemeralContainers" : "containers";
    const reference = {
      apiVersion: "v1",
      kind: "Pod",
      name: metadata.name,
      namespace: metadata.namespace ?? "",
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      fieldPath: `spec.${list}{${name}}`,
    };
    return (type, reason, message) =>
      this.#deps.recorder.event({ reference }, type, reason, message);
  }
}

function needsVolumes(action: PodAction): boolean {
  return action.do === "create-sandbox" || action.do === "start-container";
}

function showsFields(pod: Pod): boolean {
  return (pod.spec.volumes ?? []).some(
    ({ downwardAPI, projected }) =>
      downwardAPI !== undefined ||
      projected?.sources?.some((source) => source.downwardAPI !== undefined) === true,
  );
}

/** A merge patch from one status to the next; undefined where they are equal. */
function changedFields(
  before: PodStatus,
  next: PodStatus,
): Readonly<Record<string, unknown>> | undefined {
  const changes: Record<string, unknown> = {};
  const left = new Map<string, unknown>(Object.entries(before));
  for (const [field, value] of Object.entries(next)) {
    if (!isDeepStrictEqual(left.get(field), value)) changes[field] = value;
    left.delete(field);
  }
  for (const field of left.keys()) changes[field] = null;
  return Object.keys(changes).length === 0 ? undefined : changes;
}

/** Runs `pass` whenever it was woken, one pass at a time; after a failure again, later each time. */
class Loop {
  readonly #pass: () => Promise<void>;
  readonly #clock: Clock;
  readonly #policy: BackoffPolicy;
  readonly #onError: (caught: unknown) => void;
  #woken = false;
  #wakeUp: () => void = () => {};

  constructor(
    pass: () => Promise<void>,
    clock: Clock,
    policy: BackoffPolicy,
    onError: (caught: unknown) => void,
  ) {
    this.#pass = pass;
    this.#clock = clock;
    this.#policy = policy;
    this.#onError = onError;
  }

  get woken(): boolean {
    return this.#woken;
  }

  wake(): void {
    this.#woken = true;
    this.#wakeUp();
  }

  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#wakeUp();
    signal.addEventListener("abort", stop, { once: true });
    let failures = 0;
    let cancelRetry = () => {};
    while (!signal.aborted) {
      if (!this.#woken) {
        await new Promise<void>((resolve) => {
          this.#wakeUp = resolve;
          if (this.#woken || signal.aborted) resolve();
        });
        continue;
      }
      this.#woken = false;
      cancelRetry();
      try {
        await this.#pass();
        failures = 0;
      } catch (caught) {
        if (signal.aborted) break;
        failures += 1;
        this.#onError(caught);
        cancelRetry = this.#clock.after(backoffMs(this.#policy, failures), () => this.wake());
      }
    }
    cancelRetry();
    signal.removeEventListener("abort", stop);
  }
}
