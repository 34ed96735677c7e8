import { ApiError } from "../../api/api-error.ts";
import type { Node, Pod } from "../../api/generated/core-v1.generated.ts";
import { keyOf } from "../../api/object.ts";
import { nodeResource } from "../../api/resources/node.ts";
import { podResource } from "../../api/resources/pod.ts";
import { isPodTerminal } from "../../api/shared/pod-status.ts";
import { formatTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import type { Client } from "../../client/client.ts";
import type { Informer } from "../../client/informer.ts";

/** kube-controller-manager's defaults. */
const limits = {
  periodMs: 20_000,
  /** Pods that ended are kept for their logs; beyond this many the oldest go. */
  terminatedPodsMax: 12_500,
  /** A node that was just deleted may be made again at once, by a kubelet that restarts. */
  quarantineMs: 40_000,
};

export interface PodGcPlan {
  /** Their node is gone. */
  readonly orphaned: readonly Pod[];
  /** Being deleted, and never on a node: nobody else will end them. */
  readonly unscheduled: readonly Pod[];
  /** Ended, and more than are kept. */
  readonly surplus: readonly Pod[];
}

/**
 * The pods that nobody else would remove.
 *
 * @package
 */
export function planPodGc(
  pods: readonly Pod[],
  isNodeGone: (name: string) => boolean,
  terminatedMax: number,
): PodGcPlan {
  const isOrphaned = ({ spec }: Pod) =>
    (spec.nodeName ?? "") !== "" && isNodeGone(spec.nodeName ?? "");
  const terminated = pods.filter(
    (pod) => isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined,
  );
  return {
    orphaned: pods.filter(isOrphaned),
    unscheduled: pods.filter(
      ({ metadata, spec }) =>
        metadata.deletionTimestamp !== undefined && (spec.nodeName ?? "") === "",
    ),
    surplus: terminated
      .toSorted((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1))
      .slice(0, Math.max(0, terminated.length - terminatedMax)),
  };
}

/** Removes, from time to time, pods that nobody else would: of nodes that are gone, never placed, long ended. */
export function podGarbageCollector(deps: {
  readonly client: Client;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly clock: Clock;
  readonly logger: Logger;
}): Service {
  const { client, pods, nodes, clock, logger } = deps;
  /** Nodes that pods name and that are not there, and since when. */
  const missing = new Map<string, number>();

  /** Those that have been gone for long enough, and that the server does not know either. */
  async function findGone(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const named = new Set(pods.list().map(({ spec }) => spec.nodeName ?? ""));
    for (const name of missing.keys()) {
      if (!named.has(name) || nodes.get(name) !== undefined) missing.delete(name);
    }
    const gone = new Set<string>();
    for (const name of named) {
      if (name === "" || nodes.get(name) !== undefined) continue;
      const since = missing.get(name) ?? clock.monotonic();
      missing.set(name, since);
      if (clock.monotonic() - since < limits.quarantineMs) continue;
      if ((await client.get(nodeResource, name, signal)) === undefined) gone.add(name);
    }
    return gone;
  }

  async function remove(pod: Pod, isOrphan: boolean, signal: AbortSignal): Promise<void> {
    const key = keyOf(pod);
    const { uid } = pod.metadata;
    try {
      if (!isPodTerminal(pod)) {
        const condition = {
          type: "DisruptionTarget",
          status: "True",
          reason: "DeletionByPodGC",
          message: "PodGC: node no longer exists",
          lastTransitionTime: formatTime(clock.now()),
        };
        const status = { phase: "Failed", ...(isOrphan ? { conditions: [condition] } : {}) };
        const patch = { metadata: { uid }, status };
        await client.patch(podResource, key, { type: "strategic", patch }, signal, {
          subresource: "status",
        });
      }
      const preconditions = { uid };
      await client.delete(podResource, key, signal, { gracePeriodSeconds: 0, preconditions });
    } catch (caught) {
      signal.throwIfAborted();
      const error = ApiError.from(caught);
      if (error.reason === "NotFound" || error.reason === "Conflict") return;
      logger.warn("cannot remove a pod, trying again later", { pod: key, error: error.message });
    }
  }

  async function collect(signal: AbortSignal): Promise<void> {
    const gone = await findGone(signal);
    const plan = planPodGc(pods.list(), (name) => gone.has(name), limits.terminatedPodsMax);
    for (const pod of plan.orphaned) await remove(pod, true, signal);
    for (const pod of plan.unscheduled) await remove(pod, false, signal);
    for (const pod of plan.surplus) await remove(pod, false, signal);
  }

  return {
    name: "controller pod-garbage-collector",
    async run(signal) {
      try {
        await Promise.all([pods.synced(signal), nodes.synced(signal)]);
        for (;;) {
          await collect(signal).catch((caught: unknown) => {
            signal.throwIfAborted();
            logger.warn("cannot look for pods to remove", { error: ApiError.from(caught).message });
          });
          await clock.sleep(limits.periodMs, signal);
        }
      } catch (caught) {
        if (!signal.aborted) throw caught;
      }
    },
  };
}
