import { ApiError } from "../../api/api-error.ts";
import { findCondition } from "../../api/conditions.ts";
import type { Lease } from "../../api/generated/coordination-v1.generated.ts";
import type { Node, NodeCondition, Pod, Taint } from "../../api/generated/core-v1.generated.ts";
import { keyOf, objectKey } from "../../api/object.ts";
import { equalJson } from "../../api/patch/json-value.ts";
import { nodeResource } from "../../api/resources/node.ts";
import { podResource } from "../../api/resources/pod.ts";
import { isPodReady } from "../../api/shared/pod-status.ts";
import { formatTime } from "../../api/time.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { indexBy } from "../../client/informer-index.ts";
import type { EventRecorder } from "../../client/recorder.ts";
import { watchMapped, watchSelf } from "../../client/watches.ts";

/** kube-controller-manager's defaults. */
const timing = {
  monitorMs: 5_000,
  graceMs: 50_000,
  /** For a node that has never said whether it is ready. */
  startupGraceMs: 60_000,
};

const notReadyKey = "node.kubernetes.io/not-ready";
const unreachableKey = "node.kubernetes.io/unreachable";
const unschedulableKey = "node.kubernetes.io/unschedulable";

/** The taints that stand for conditions, and for which status of them. */
const conditionTaints: readonly (readonly [type: string, status: string, key: string])[] = [
  ["Ready", "False", notReadyKey],
  ["Ready", "Unknown", unreachableKey],
  ["MemoryPressure", "True", "node.kubernetes.io/memory-pressure"],
  ["DiskPressure", "True", "node.kubernetes.io/disk-pressure"],
  ["PIDPressure", "True", "node.kubernetes.io/pid-pressure"],
  ["NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"],
];

/**
 * The node's taints as its conditions ask for them; those that others set are kept. `mayEvict` is false where no node
 * at all is ready: then it is the network, or we, and evicting pods would only do harm.
 *
 * @package
 */
export function planTaints(node: Node, mayEvict: boolean, nowMs: number): readonly Taint[] {
  const wanted: Taint[] = conditionTaints
    .filter(([type, status]) => findCondition(node.status.conditions, type)?.status === status)
    .map(([, , key]) => ({ key, effect: "NoSchedule" }));
  if (node.spec.unschedulable === true) {
    wanted.push({ key: unschedulableKey, effect: "NoSchedule" });
  }
  if (mayEvict) {
    for (const { key } of [...wanted]) {
      if (key === notReadyKey || key === unreachableKey) wanted.push({ key, effect: "NoExecute" });
    }
  }
  const current = node.spec.taints ?? [];
  const isOurs = ({ key, effect }: Taint) =>
    effect === "NoSchedule"
      ? key === unschedulableKey || conditionTaints.some(([, , ours]) => ours === key)
      : effect === "NoExecute" && (key === notReadyKey || key === unreachableKey);
  const same = (a: Taint, b: Taint) => a.key === b.key && a.effect === b.effect;
  return [
    ...current.filter((taint) => !isOurs(taint) || wanted.some((each) => same(each, taint))),
    ...wanted
      .filter((taint) => !current.some((each) => same(each, taint)))
      .map((taint) => ({ ...taint, timeAdded: formatTime(nowMs) })),
  ];
}

/**
 * The conditions of a node that was not heard of for too long: nothing is known of it.
 *
 * @package
 */
export function planUnknown(node: Node, nowMs: number): readonly NodeCondition[] {
  const now = formatTime(nowMs);
  const types = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];
  const current = node.status.conditions ?? [];
  const missing = types
    .filter((type) => findCondition(current, type) === undefined)
    .map((type) => ({
      type,
      status: "Unknown",
      reason: "NodeStatusNeverUpdated",
      message: "Kubelet never posted node status.",
      lastHeartbeatTime: node.metadata.creationTimestamp,
      lastTransitionTime: now,
    }));
  const rest = current.map((condition) =>
    types.includes(condition.type) && condition.status !== "Unknown"
      ? {
          ...condition,
          status: "Unknown",
          reason: "NodeStatusUnknown",
          message: "Kubelet stopped posting node status.",
          lastTransitionTime: now,
        }
      : condition,
  );
  return [...rest, ...missing];
}

/** Notices nodes that are no longer heard of, says so in their conditions and taints, and in their pods' readiness. */
export function nodeLifecycleController(deps: {
  readonly client: Client;
  readonly nodes: Informer<Node>;
  readonly leases: Informer<Lease>;
  readonly pods: Informer<Pod>;
  readonly events: EventRecorder;
  readonly clock: Clock;
}): Controller {
  const { client, nodes, leases, pods, events, clock } = deps;
  const podsOf = indexBy(pods, ({ spec }) => spec.nodeName);
  /** What each node last said, and when that came, by our own clock: a node's own may be wrong. */
  const heard = new Map<string, { readonly said: string; readonly atMs: number }>();

  function silentForMs(node: Node): number {
    const { name } = node.metadata;
    const lease = leases.get(objectKey("kube-node-lease", name));
    const heartbeat = findCondition(node.status.conditions, "Ready")?.lastHeartbeatTime;
    const said = JSON.stringify([node.metadata.uid, heartbeat, lease?.spec.renewTime]);
    const last = heard.get(name);
    if (last?.said === said) return clock.monotonic() - last.atMs;
    heard.set(name, { said, atMs: clock.monotonic() });
    return 0;
  }

  async function markUnknown(node: Node, signal: AbortSignal): Promise<Node> {
    const conditions = planUnknown(node, clock.now());
    if (equalJson(conditions, node.status.conditions ?? [])) return node;
    const before = findCondition(node.status.conditions, "Ready")?.status;
    const next = { ...node, status: { ...node.status, conditions } };
    const updated = await client.update(nodeResource, next, signal, { subresource: "status" });
    if (before === "True") {
      const message = `Node ${node.metadata.name} status is now: NodeNotReady`;
      events.event(node, "Normal", "NodeNotReady", message);
    }
    return updated;
  }

  async function applyTaints(node: Node, signal: AbortSignal): Promise<void> {
    const anyReady = nodes
      .list()
      .some(({ status }) => findCondition(status.conditions, "Ready")?.status === "True");
    const taints = planTaints(node, anyReady, clock.now());
    if (equalJson(taints, node.spec.taints ?? [])) return;
    const { uid, resourceVersion, name } = node.metadata;
    const patch = { metadata: { uid, resourceVersion }, spec: { taints } };
    await client.patch(nodeResource, name, { type: "merge", patch }, signal);
  }

  /** Nobody else can say so: the node that should is the one that is not heard of. */
  async function markPodsNotReady(node: Node, signal: AbortSignal): Promise<void> {
    for (const pod of podsOf.list(node.metadata.name)) {
      if (!isPodReady(pod)) continue;
      const now = formatTime(clock.now());
      const condition = { type: "Ready", status: "False", lastTransitionTime: now };
      const { uid } = pod.metadata;
      const patch = { metadata: { uid }, status: { conditions: [condition] } };
      try {
        await client.patch(podResource, keyOf(pod), { type: "strategic", patch }, signal, {
          subresource: "status",
        });
        events.event(pod, "Warning", "NodeNotReady", "Node is not ready");
      } catch (caught) {
        if (!["NotFound", "Conflict"].includes(ApiError.from(caught).reason)) throw caught;
      }
    }
  }

  return {
    name: "node-lifecycle",
    watches: [
      watchSelf(nodes),
      watchMapped(leases, ({ metadata }) =>
        metadata.namespace === "kube-node-lease" ? [metadata.name] : [],
      ),
    ],
    async reconcile(key, signal) {
      const node = nodes.get(key);
      if (node === undefined) {
        heard.delete(key);
        return undefined;
      }
      if (!heard.has(key)) {
        const message = `Node ${key} event: Registered Node ${key} in Controller`;
        events.event(node, "Normal", "RegisteredNode", message);
      }
      const everReady = findCondition(node.status.conditions, "Ready") !== undefined;
      const graceMs = everReady ? timing.graceMs : timing.startupGraceMs;
      const silent = silentForMs(node) > graceMs;
      const current = silent ? await markUnknown(node, signal) : node;
      await applyTaints(current, signal);
      // A node that says itself that it is not ready goes on telling of its pods, which may well serve.
      const ready = findCondition(current.status.conditions, "Ready");
      if (ready?.status === "Unknown") await markPodsNotReady(current, signal);
      return { requeueAfterMs: timing.monitorMs };
    },
  };
}
