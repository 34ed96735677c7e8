import { readdir } from "node:fs/promises";
import type { Pod } from "../../api/generated/core-v1.generated.ts";
import { isAbortOf } from "../../base/abort.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import type { Informer } from "../../client/informer.ts";
import type { RpcConnection } from "../cri/connect.ts";
import { containerEvents } from "../cri/container-events.ts";
import type { Observer } from "./observe.ts";
import type { ObservedPod } from "./observed-pod.ts";
import { PodWorker, type PodWorkerDeps } from "./pod-worker.ts";

export interface PodsDeps {
  /** The pods bound to this node. */
  readonly informer: Informer<Pod>;
  readonly connection: RpcConnection;
  readonly observer: Observer;
  readonly worker: Omit<PodWorkerDeps, "observer" | "hasEnded" | "clock" | "logger">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A pod of this node as the API asks for it and as the runtime has it. */
export interface LocalPod {
  readonly pod: Pod;
  readonly observed: ObservedPod;
}

/** The pods of this node, one worker each. */
export interface Pods extends Service {
  find(namespace: string, name: string): LocalPod | undefined;
  findByUid(uid: string): LocalPod | undefined;
  list(): readonly LocalPod[];
  /** What the pods name has changed: their volumes follow. */
  refresh(podUids: readonly string[]): void;
  /** Images have come by another way than a pull. */
  retryImages(): void;
  /** Looks at every pod again. */
  wakeAll(): void;
}

/** Against events that never came: everything is looked at again so often. */
const relistMs = 60_000;
/** After the event stream broke: the runtime is probably being started again. */
const reconnectMs = 250;
const openedMs = 500;
const endedMax = 1_000;

export function createPods(deps: PodsDeps): Pods {
  const { informer, observer, connection, clock, logger } = deps;
  const workers = new Map<string, PodWorker>();
  /** A quick container's end may be told before its worker has seen it at all: so the last ends are kept. */
  const ended = new Set<string>();
  let stopping = false;

  function noteEnd(id: string): void {
    ended.add(id);
    const [oldest] = ended;
    if (ended.size > endedMax && oldest !== undefined) ended.delete(oldest);
  }

  function wakeAll(): void {
    for (const worker of workers.values()) worker.wake();
  }

  function start(pod: Pod, orphaned: boolean): void {
    const hasEnded = (id: string) => ended.has(id);
    const worker = new PodWorker({ ...deps.worker, observer, hasEnded, clock, logger }, pod, {
      orphaned,
    });
    workers.set(pod.metadata.uid, worker);
    void worker.done
      .catch((caught: unknown) => logger.error("a pod's worker failed", { error: String(caught) }))
      .then(() => {
        workers.delete(pod.metadata.uid);
      });
  }

  function onPod(pod: Pod): void {
    const worker = workers.get(pod.metadata.uid);
    if (worker === undefined) start(pod, false);
    else worker.update(pod);
  }

  /** What the runtime has of pods that the API does not: left from while we were away. */
  async function adoptOrphans(signal: AbortSignal): Promise<void> {
    await informer.synced(signal);
    const wanted = new Set(informer.list().map(({ metadata }) => metadata.uid));
    for (const { uid, namespace, name } of await observer.pods(signal)) {
      if (wanted.has(uid) || workers.has(uid)) continue;
      logger.info("a pod that is no longer wanted is removed", { namespace, name, uid });
      start(forgottenPod(uid, namespace, name), true);
    }
    for (const uid of await readdir(deps.worker.folders.disk).catch(() => [])) {
      if (!wanted.has(uid) && !workers.has(uid)) start(forgottenPod(uid, "", ""), true);
    }
  }

  async function followRuntime(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await connection.connected(signal);
        const events = containerEvents(connection, signal);
        // What happened before the stream was open is seen by looking: now, and when it surely is.
        wakeAll();
        const cancel = clock.after(openedMs, wakeAll);
        try {
          for await (const event of events) {
            if (event.type === "stopped") noteEnd(event.id);
            const uid = observer.podUidOf(event.id);
            if (uid !== undefined) workers.get(uid)?.wake();
          }
        } finally {
          cancel();
        }
      } catch (caught) {
        if (isAbortOf(signal, caught)) return;
        logger.warn("the runtime's events are interrupted", { error: String(caught) });
      }
      await clock.sleep(reconnectMs, signal).catch(() => {});
    }
  }

  async function relist(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await adoptOrphans(signal);
        await clock.sleep(relistMs, signal);
        wakeAll();
      } catch (caught) {
        if (isAbortOf(signal, caught) || signal.aborted) return;
        logger.warn("the runtime's pods cannot be listed", { error: String(caught) });
        await clock.sleep(reconnectMs * 4, signal).catch(() => {});
      }
    }
  }

  const local = (worker: PodWorker): LocalPod => ({ pod: worker.pod, observed: worker.observed });

  return {
    name: "pods",
    find(namespace, name) {
      for (const worker of workers.values()) {
        const { metadata } = worker.pod;
        if (metadata.name === name && metadata.namespace === namespace) return local(worker);
      }
      return undefined;
    },
    findByUid(uid) {
      const worker = workers.get(uid);
      return worker === undefined ? undefined : local(worker);
    },
    list: () => [...workers.values()].map(local),
    refresh(podUids) {
      for (const uid of podUids) workers.get(uid)?.refreshVolumes();
    },
    retryImages() {
      for (const worker of workers.values()) worker.retryImages();
    },
    wakeAll,
    async run(signal) {
      const unsubscribe = informer.subscribe((event) => {
        if (stopping) return;
        if (event.type === "deleted") workers.get(event.object.metadata.uid)?.orphan();
        else {
          // Deleted and made anew under the same name between two lists.
          if (
            event.type === "modified" &&
            event.previous.metadata.uid !== event.object.metadata.uid
          )
            workers.get(event.previous.metadata.uid)?.orphan();
          onPod(event.object);
        }
      });
      await Promise.all([followRuntime(signal), relist(signal)]);
      stopping = true;
      unsubscribe();
      const running = [...workers.values()];
      for (const worker of running) worker.stop();
      await Promise.all(running.map((worker) => worker.done));
    },
  };
}

/** Just enough of a pod to take away what is left of it. */
function forgottenPod(uid: string, namespace: string, name: string): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      uid,
      namespace,
      name,
      resourceVersion: "0",
      creationTimestamp: "1970-01-01T00:00:00Z",
    },
    spec: { containers: [] },
    status: {},
  };
}
