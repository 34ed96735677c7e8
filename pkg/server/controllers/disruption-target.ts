import { findCondition, withCondition } from "../../api/conditions.ts";
import type { Pod } from "../../api/generated/core-v1.generated.ts";
import { keyOf } from "../../api/object.ts";
import { podResource } from "../../api/resources/pod.ts";
import { isPodActive } from "../../api/shared/pod-status.ts";
import { formatTime, parseTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchMapped } from "../../client/watches.ts";

/** A pod that was to go is deleted within this, or it stays. */
const staleMs = 120_000;

/**
 * How long until the pod's DisruptionTarget is no longer true; undefined where it is no matter. The kubelet's own is
 * left alone: it ends the pod itself, however long that takes.
 *
 * @package
 */
export function staleInMs(pod: Pod, nowMs: number): number | undefined {
  const condition = findCondition(pod.status.conditions, "DisruptionTarget");
  if (condition?.status !== "True" || condition.reason === "TerminationByKubelet") return undefined;
  if (!isPodActive(pod)) return undefined;
  return Math.max(0, (parseTime(condition.lastTransitionTime) ?? 0) + staleMs - nowMs);
}

/** Takes back what a pod says of its disruption, where nobody deleted it after all. */
export function disruptionTargetController(deps: {
  readonly client: Client;
  readonly clock: Clock;
  readonly pods: Informer<Pod>;
}): Controller {
  const { client, clock, pods } = deps;
  return {
    name: "disruption-target",
    watches: [
      watchMapped(pods, (pod) => (staleInMs(pod, clock.now()) === undefined ? [] : [keyOf(pod)])),
    ],
    async reconcile(key, signal) {
      const pod = pods.get(key);
      if (pod === undefined) return undefined;
      const waitMs = staleInMs(pod, clock.now());
      if (waitMs === undefined) return undefined;
      if (waitMs > 0) return { requeueAfterMs: waitMs };
      const conditions = withCondition(pod.status.conditions, {
        type: "DisruptionTarget",
        status: "False",
        lastTransitionTime: formatTime(clock.now()),
      });
      const next = { ...pod, status: { ...pod.status, conditions } };
      await client.update(podResource, next, signal, { subresource: "status" });
      return undefined;
    },
  };
}
