import { ApiError } from "../../api/api-error.ts";
import { findCondition } from "../../api/conditions.ts";
import type { Namespace, Node, Pod, PodCondition } from "../../api/generated/core-v1.generated.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { podResource } from "../../api/resources/pod.ts";
import { isPodTerminal } from "../../api/shared/pod-status.ts";
import { formatTime } from "../../api/time.ts";
import { isAbortOf } from "../../base/abort.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import type { Client } from "../../client/client.ts";
import type { Informer, InformerEvent } from "../../client/informer.ts";
import type { EventRecorder } from "../../client/recorder.ts";
import { type PodInfo, podInfoOf } from "./pod-info.ts";
import { PodQueue } from "./pod-queue.ts";
import { defaultProfile } from "./profile.ts";
import { schedulePod } from "./schedule-pod.ts";
import { Snapshot } from "./snapshot.ts";

export interface SchedulerDeps {
  readonly client: Pick<Client, "createSubresource" | "patch">;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly namespaces: Informer<Namespace>;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A number in [0, 1): picks among nodes that are equally good. */
  readonly random: () => number;
}

const limits = {
  /** The event loop is given back after deciding for this long. */
  sliceMs: 5,
  /** Decisions that are being written; beyond this many, the next waits for one to be done. */
  bindingsMax: 128,
};

const schedulerName = "default-scheduler";

/** Gives each pod that asks for `default-scheduler` a node, or tells why it has none. */
export function createScheduler(deps: SchedulerDeps): Service {
  return {
    name: "scheduler",
    async run(signal) {
      try {
        const { pods, nodes, namespaces } = deps;
        await Promise.all([pods, nodes, namespaces].map((each) => each.synced(signal)));
      } catch (caught) {
        if (isAbortOf(signal, caught)) return;
        throw caught;
      }
      await new Scheduler(deps, signal).run();
    },
  };
}

class Scheduler {
  readonly #deps: SchedulerDeps;
  readonly #signal: AbortSignal;
  readonly #snapshot: Snapshot;
  readonly #queue: PodQueue;
  /** Decisions that are being written. */
  readonly #writing = new Set<Promise<void>>();
  #startAt = 0;
  #wake: () => void = () => undefined;

  constructor(deps: SchedulerDeps, signal: AbortSignal) {
    this.#deps = deps;
    this.#signal = signal;
    this.#queue = new PodQueue(deps.clock);
    this.#snapshot = new Snapshot((name) => deps.namespaces.get(name)?.metadata.labels);
  }

  async run(): Promise<void> {
    const { pods, nodes } = this.#deps;
    this.#queue.onActive = () => this.#wake();
    const wake = () => this.#wake();
    this.#signal.addEventListener("abort", wake, { once: true });
    const unsubscribe = [
      nodes.subscribe((event) => this.#onNode(event)),
      pods.subscribe((event) => this.#onPod(event)),
    ];
    while (!this.#signal.aborted) await this.#work();
    for (const end of unsubscribe) end();
    this.#queue.close();
    await Promise.all(this.#writing);
  }

  /** Decides for a while, or waits until there is something to decide. */
  async #work(): Promise<void> {
    const { clock } = this.#deps;
    const untilMs = clock.monotonic() + limits.sliceMs;
    while (clock.monotonic() < untilMs) {
      if (this.#writing.size >= limits.bindingsMax) {
        await Promise.race(this.#writing);
        return;
      }
      const pod = this.#queue.take();
      if (pod === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          if (this.#signal.aborted) resolve();
        });
        return;
      }
      this.#decide(pod);
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  #onNode(event: InformerEvent<Node>): void {
    const { metadata } = event.object;
    if (event.type === "deleted") {
      this.#snapshot.removeNode(metadata.name);
      return;
    }
    this.#snapshot.setNode(event.object);
    if (event.type === "added" || mattersToPods(event.object, event.previous)) {
      this.#queue.reconsider("node-changes");
    }
  }

  #onPod(event: InformerEvent<Pod>): void {
    const pod = event.object;
    const { uid } = pod.metadata;
    const { nodeName = "" } = pod.spec;
    if (event.type === "deleted" || isPodTerminal(pod)) {
      this.#queue.remove(uid);
      if (this.#snapshot.nodeOf(uid) === undefined) return;
      this.#snapshot.removePod(uid);
      this.#queue.reconsider("pod-leaves");
    } else if (nodeName !== "") {
      this.#queue.remove(uid);
      const isCounted = event.type === "modified" && this.#snapshot.nodeOf(uid) === nodeName;
      if (isCounted && !mattersToScheduling(pod, event.previous)) return;
      this.#snapshot.setPod(podInfoOf(pod), nodeName);
      this.#queue.reconsider("pod-comes");
    } else if (isForUs(pod)) {
      // Decided already: what comes before the binding shows is an older state.
      if (this.#snapshot.nodeOf(uid) !== undefined) return;
      const mayHelp = event.type === "modified" && mattersToScheduling(pod, event.previous);
      this.#queue.set(podInfoOf(pod), mayHelp);
    } else {
      this.#queue.remove(uid);
    }
  }

  #decide(info: PodInfo): void {
    const { events, random } = this.#deps;
    const nodes = this.#snapshot.nodes;
    const decision = schedulePod({
      pod: info,
      cluster: this.#snapshot,
      profile: defaultProfile,
      startAt: this.#startAt,
      random,
    });
    this.#startAt = nodes.length === 0 ? 0 : (this.#startAt + 1) % nodes.length;
    if (decision.outcome === "placed") {
      // It counts from now on: the next decision must not give the same room away.
      this.#snapshot.setPod(info, decision.nodeName);
      this.#write(info, () => this.#bind(info, decision.nodeName));
      return;
    }
    this.#queue.reject(info.uid, decision.rejectedBy);
    events.event(info.pod, "Warning", "FailedScheduling", decision.message);
    this.#write(info, () => this.#tellUnschedulable(info, decision.message));
  }

  #write(info: PodInfo, work: () => Promise<void>): void {
    const { logger } = this.#deps;
    const writing = work()
      .catch((caught: unknown) => {
        if (isAbortOf(this.#signal, caught)) return;
        logger.error("cannot write what was decided for a pod", { pod: info.key, error: caught });
      })
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  async #bind(info: PodInfo, nodeName: string): Promise<void> {
    const { client, events } = this.#deps;
    const { name, namespace, uid } = info.pod.metadata;
    const binding = {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name, namespace, uid },
      target: { kind: "Node", name: nodeName },
    };
    try {
      await client.createSubresource(podResource, info.key, "binding", binding, this.#signal);
      events.event(
        info.pod,
        "Normal",
        "Scheduled",
        `Successfully assigned ${info.key} to ${nodeName}`,
      );
    } catch (caught) {
      if (isAbortOf(this.#signal, caught)) return;
      this.#unplace(info);
      const error = ApiError.from(caught);
      // Gone meanwhile: the informer tells of it, and the queue forgets it.
      if (error.reason === "NotFound") return;
      const message = `binding rejected: ${error.message}`;
      events.event(info.pod, "Warning", "FailedScheduling", message);
      throw caught;
    }
  }

  /** The room is free again, and the pod needs another try, unless it has been bound after all. */
  #unplace(info: PodInfo): void {
    const current = this.#deps.pods.get(info.key);
    const isBound = current?.metadata.uid === info.uid && (current.spec.nodeName ?? "") !== "";
    if (isBound) return;
    this.#snapshot.removePod(info.uid);
    this.#queue.putBack(info.uid);
    this.#queue.reconsider("pod-leaves");
  }

  async #tellUnschedulable(info: PodInfo, message: string): Promise<void> {
    const { client, clock, pods } = this.#deps;
    const pod = pods.get(info.key);
    if (pod?.metadata.uid !== info.uid) return;
    const known = findCondition(pod.status.conditions, "PodScheduled");
    const status = "False";
    const reason = "Unschedulable";
    if (known?.status === status && known.reason === reason && known.message === message) return;
    const condition: PodCondition = {
      type: "PodScheduled",
      status,
      reason,
      message,
      ...(pod.metadata.generation === undefined
        ? {}
        : { observedGeneration: pod.metadata.generation }),
      lastTransitionTime:
        known?.status === status && known.lastTransitionTime !== undefined
          ? known.lastTransitionTime
          : formatTime(clock.now()),
    };
    const patch = { metadata: { uid: info.uid }, status: { conditions: [condition] } };
    try {
      await client.patch(podResource, info.key, { type: "strategic", patch }, this.#signal, {
        subresource: "status",
      });
    } catch (caught) {
      // Deleted meanwhile, or deleted and made again.
      if (["NotFound", "Conflict"].includes(ApiError.from(caught).reason)) return;
      throw caught;
    }
  }
}

function isForUs({ spec, metadata }: Pod): boolean {
  return (
    (spec.schedulerName ?? schedulerName) === schedulerName &&
    metadata.deletionTimestamp === undefined &&
    (spec.schedulingGates ?? []).length === 0
  );
}

/** A heartbeat does not matter; labels, taints, cordons and sizes do. */
function mattersToPods(node: Node, previous: Node): boolean {
  return !(
    equalJson(node.spec, previous.spec) &&
    equalJson(node.metadata.labels, previous.metadata.labels) &&
    equalJson(node.status.allocatable, previous.status.allocatable)
  );
}

function mattersToScheduling(pod: Pod, previous: Pod): boolean {
  return !(
    equalJson(pod.spec, previous.spec) &&
    equalJson(pod.metadata.labels, previous.metadata.labels) &&
    pod.metadata.deletionTimestamp === previous.metadata.deletionTimestamp
  );
}
