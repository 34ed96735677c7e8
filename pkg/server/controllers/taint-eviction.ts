import { ApiError } from "../../api/api-error.ts";
import type { Node, Pod, Taint, Toleration } from "../../api/generated/core-v1.generated.ts";
import { keyOf, type ObjectKey } from "../../api/object.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { podResource } from "../../api/resources/pod.ts";
import { tolerates } from "../../api/shared/tolerations.ts";
import { formatTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { indexBy } from "../../client/informer-index.ts";
import type { EventRecorder } from "../../client/recorder.ts";
import { watchChanges } from "../../client/watches.ts";

/**
 * How long a pod may stay under the NoExecute taints of its node, in milliseconds; undefined for as long as it likes.
 * A taint that nothing tolerates: not at all. Else the shortest of the tolerations' seconds.
 *
 * @package
 */
export function toleratedMs(
  taints: readonly Taint[],
  tolerations: readonly Toleration[],
): number | undefined {
  let shortestMs: number | undefined;
  for (const taint of taints) {
    if (taint.effect !== "NoExecute") continue;
    const helping = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (helping.length === 0) return 0;
    const seconds = helping
      .map(({ tolerationSeconds }) => tolerationSeconds)
      .filter((each) => each !== undefined);
    if (seconds.length === 0) continue;
    const ms = Math.max(0, Math.min(...seconds) * 1000);
    shortestMs = Math.min(shortestMs ?? ms, ms);
  }
  return shortestMs;
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
  /**
   * Since when each pod that must go some day was seen under its taints. By our own clock, which nobody sets: the
   * taint's `timeAdded` would be decades ago once a machine that starts in 1970 learns what time it is.
   */
  const seen = new Map<ObjectKey, { readonly uid: string; readonly atMs: number }>();

  function seenSinceMs(key: ObjectKey, { metadata }: Pod): number {
    const known = seen.get(key);
    if (known?.uid === metadata.uid) return known.atMs;
    const atMs = clock.monotonic();
    seen.set(key, { uid: metadata.uid, atMs });
    return atMs;
  }

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
      const taints = nodes.get(pod?.spec.nodeName ?? "")?.spec.taints ?? [];
      const mayStayMs =
        pod === undefined || pod.metadata.deletionTimestamp !== undefined
          ? undefined
          : toleratedMs(taints, pod.spec.tolerations ?? []);
      if (pod === undefined || mayStayMs === undefined) {
        seen.delete(key);
        return undefined;
      }
      const waitMs = seenSinceMs(key, pod) + mayStayMs - clock.monotonic();
      if (waitMs > 0) return { requeueAfterMs: waitMs };
      await evict(pod, signal);
      return undefined;
    },
  };
}
