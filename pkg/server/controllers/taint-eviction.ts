import { ApiError } from "../../api/api-error.ts";
import type { Node, Pod, Taint, Toleration } from "../../api/generated/core-v1.generated.ts";
import { keyOf } from "../../api/object.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { podResource } from "../../api/resources/pod.ts";
import { tolerates } from "../../api/shared/tolerations.ts";
import { formatTime, parseTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { indexBy } from "../../client/informer-index.ts";
import type { EventRecorder } from "../../client/recorder.ts";
import { watchChanges } from "../../client/watches.ts";

/**
 * When the NoExecute taints of its node make a pod go, in milliseconds since 1970; undefined for never.
 * A taint that nothing tolerates: at once. Else after the shortest of the tolerations' seconds.
 *
 * @package
 */
export function evictionDueMs(
  taints: readonly Taint[],
  tolerations: readonly Toleration[],
  nowMs: number,
): number | undefined {
  let dueMs: number | undefined;
  for (const taint of taints) {
    if (taint.effect !== "NoExecute") continue;
    const helping = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (helping.length === 0) return nowMs;
    const seconds = helping
      .map(({ tolerationSeconds }) => tolerationSeconds)
      .filter((each) => each !== undefined);
    if (seconds.length === 0) continue;
    const since = parseTime(taint.timeAdded) ?? nowMs;
    const due = since + Math.max(0, Math.min(...seconds)) * 1000;
    dueMs = dueMs === undefined ? due : Math.min(dueMs, due);
  }
  return dueMs;
}

/** Deletes pods that do not tolerate, or no longer, a NoExecute taint of their node. */
export function taintEvictionController(deps: {
  readonly client: Client;
  readonly nodes: Informer<Node>;
  readonly pods: Informer<Pod>;
  readonly events: EventRecorder;
  readonly clock: Clock;
}): Controller {
  const { client, nodes, pods, events, clock } = deps;
  const podsOf = indexBy(pods, ({ spec }) => spec.nodeName);

  async function evict(pod: Pod, signal: AbortSignal): Promise<void> {
    const key = keyOf(pod);
    const { uid } = pod.metadata;
    events.event(pod, "Normal", "TaintManagerEviction", `Marking for deletion Pod ${key}`);
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "DeletionByTaintManager",
      message: "Taint manager: deleting due to NoExecute taint",
      lastTransitionTime: formatTime(clock.now()),
    };
    const patch = { metadata: { uid }, status: { conditions: [condition] } };
    try {
      const type = "strategic";
      await client.patch(podResource, key, { type, patch }, signal, { subresource: "status" });
      await client.delete(podResource, key, signal, { preconditions: { uid } });
    } catch (caught) {
      if (ApiError.from(caught).reason !== "NotFound") throw caught;
    }
  }

  return {
    name: "taint-eviction",
    watches: [
      watchChanges(pods, (pod, previous) => {
        const { nodeName = "" } = pod.spec;
        const isNew = previous === undefined || previous.spec.nodeName !== nodeName;
        const tolerates = equalJson(previous?.spec.tolerations, pod.spec.tolerations);
        return nodeName === "" || (!isNew && tolerates) ? [] : [keyOf(pod)];
      }),
      watchChanges(nodes, (node, previous) =>
        equalJson(node.spec.taints ?? [], previous?.spec.taints ?? [])
          ? []
          : podsOf.list(node.metadata.name).map(keyOf),
      ),
    ],
    async reconcile(key, signal) {
      const pod = pods.get(key);
      if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return undefined;
      const taints = nodes.get(pod.spec.nodeName ?? "")?.spec.taints ?? [];
      const nowMs = clock.now();
      const dueMs = evictionDueMs(taints, pod.spec.tolerations ?? [], nowMs);
      if (dueMs === undefined) return undefined;
      if (dueMs > nowMs) return { requeueAfterMs: dueMs - nowMs };
      await evict(pod, signal);
      return undefined;
    },
  };
}
