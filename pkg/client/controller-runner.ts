import { ApiError } from "../api/api-error.ts";
import type { ObjectKey } from "../api/object.ts";
import { isAbortOf } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import type { Controller, Watch } from "./controller.ts";
import type { TrackedClient } from "./tracked-client.ts";
import { WorkQueue, type WorkQueueMetrics } from "./work-queue.ts";

export type ReconcileOutcome = "success" | "requeue" | "conflict" | "error";

/** Told of what controllers do. */
export interface ControllerMetrics {
  /** For the `workqueue_*` metrics of the queue of this name. */
  queue(controller: string): WorkQueueMetrics;
  reconciled(controller: string, outcome: ReconcileOutcome, durationMs: number): void;
}

export interface ControllerRunnerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whose `client` the controllers write through. */
  readonly writes: Pick<TrackedClient, "untilSeen">;
  readonly metrics?: ControllerMetrics;
}

const defaultWorkers = 5;
/** So often in a row it may be somebody else who was faster; after that it is told. */
const overtakenQuietlyMax = 5;

/**
 * Runs `controller`: waits until its informers are synced, then hands each key to one worker at a time, until
 * `signal` aborts and the last worker is back. A key is held back until the informers show what its last
 * `reconcile` wrote, so a controller always reads its own writes.
 */
export function controllerService(
  controller: Controller,
  options: ControllerRunnerOptions,
): Service {
  const { clock, metrics, writes } = options;
  const logger = options.logger.child({ controller: controller.name });

  async function work(queue: WorkQueue<ObjectKey>, signal: AbortSignal): Promise<void> {
    for (;;) {
      const key = await queue.take();
      if (key === undefined) return;
      const startedAtMs = clock.monotonic();
      const outcome = await reconcile(queue, key, signal);
      metrics?.reconciled(controller.name, outcome, clock.monotonic() - startedAtMs);
      queue.done(key);
    }
  }

  async function reconcile(
    queue: WorkQueue<ObjectKey>,
    key: ObjectKey,
    signal: AbortSignal,
  ): Promise<ReconcileOutcome> {
    try {
      const result = await writes.untilSeen(() => controller.reconcile(key, signal), signal);
      queue.forget(key);
      if (result === undefined) return "success";
      queue.addAfter(key, result.requeueAfterMs);
      return "requeue";
    } catch (caught) {
      if (isAbortOf(signal, caught)) return "error";
      queue.addRateLimited(key);
      const failures = queue.failures(key);
      if (wasOvertaken(caught) && failures < overtakenQuietlyMax) {
        logger.debug("the object changed meanwhile, looking again", { key });
        return "conflict";
      }
      logger.error("reconcile failed, trying again", { key, failures, error: caught });
      return "error";
    }
  }

  return {
    name: `controller ${controller.name}`,
    async run(signal) {
      const queue = new WorkQueue<ObjectKey>({
        clock,
        ...(metrics === undefined ? {} : { metrics: metrics.queue(controller.name) }),
      });
      try {
        await Promise.all(controller.watches.map(({ informer }) => informer.synced(signal)));
      } catch (caught) {
        if (isAbortOf(signal, caught)) return;
        throw caught;
      }
      const unsubscribe: (() => void)[] = [];
      const add = (watch: Watch) => {
        const end = watch.informer.subscribe((event) => {
          const previous = event.type === "modified" ? event.previous : undefined;
          for (const key of watch.keysFor(event.object, previous)) queue.add(key);
        });
        unsubscribe.push(end);
      };
      for (const watch of controller.watches) add(watch);
      const endFurther = controller.furtherWatches?.(add);
      const close = () => queue.close();
      signal.addEventListener("abort", close, { once: true });
      if (signal.aborted) close();
      const workers = controller.workers ?? defaultWorkers;
      await Promise.all(Array.from({ length: workers }, () => work(queue, signal)));
      endFurther?.();
      for (const end of unsubscribe) end();
    },
  };
}

/** Somebody else wrote, deleted or created the object between our look at it and our write. */
function wasOvertaken(caught: unknown): boolean {
  return (
    caught instanceof ApiError && ["Conflict", "NotFound", "AlreadyExists"].includes(caught.reason)
  );
}
