import { expect, test } from "vitest";
import type { Node, Pod } from "../../pkg/api/generated/core-v1.generated.ts";
import type { NewObject } from "../../pkg/api/object.ts";
import { leaseResource } from "../../pkg/api/resources/lease.ts";
import { namespaceResource } from "../../pkg/api/resources/namespace.ts";
import { nodeResource } from "../../pkg/api/resources/node.ts";
import { podResource } from "../../pkg/api/resources/pod.ts";
import { serviceAccountResource } from "../../pkg/api/resources/serviceaccount.ts";
import { formatTime } from "../../pkg/api/time.ts";
import type { EventRecorder } from "../../pkg/client/recorder.ts";
import { nodeLifecycleController } from "../../pkg/server/controllers/node-lifecycle.ts";
import { taintEvictionController } from "../../pkg/server/controllers/taint-eviction.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { type ApiWorld, startApiWorld } from "./api-world.ts";

/** The API, a node `a` with a pod `web` that serves, and controllers whose time the test tells. */
async function startWorld() {
  const api: ApiWorld = await startApiWorld();
  const { client } = api;
  const stop = new AbortController();
  const { signal } = stop;
  const clock = new ManualClock();
  const told: string[] = [];
  const events: EventRecorder = {
    event(subject, _type, reason) {
      if ("metadata" in subject) told.push(`${subject.metadata.name}: ${reason}`);
    },
  };
  const nodes = client.informer(nodeResource);
  const pods = client.informer(podResource);
  const leases = client.informer(leaseResource);
  const running = Promise.all([nodes, pods, leases].map((each) => each.run(signal)));
  await Promise.all([nodes, pods, leases].map((each) => each.synced(signal)));
  const named = { metadata: { name: "n" }, spec: {} };
  const namespace = { apiVersion: "v1", kind: "Namespace", ...named } as const;
  await client.create(namespaceResource, namespace, signal);
  const account = { apiVersion: "v1", kind: "ServiceAccount" } as const;
  const metadata = { name: "default", namespace: "n" };
  await client.create(serviceAccountResource, { ...account, metadata }, signal);
  const node: NewObject<Node> = {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "a" },
    spec: {},
    status: {} as Node["status"],
  };
  await client.create(nodeResource, node, signal);

  async function say(status: "True" | "False"): Promise<void> {
    const conditions = [{ type: "Ready", status, lastHeartbeatTime: formatTime(clock.now()) }];
    const patch = { status: { conditions } };
    await client.patch(nodeResource, "a", { type: "merge", patch }, signal, {
      subresource: "status",
    });
  }

  async function addPod(fields: Partial<Pod["spec"]> = {}): Promise<void> {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "n" },
      spec: { nodeName: "a", containers: [{ name: "c", image: "i" }], ...fields },
    } as unknown as NewObject<Pod>;
    await client.create(podResource, pod, signal);
    const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
    await client.patch(podResource, "n/web", { type: "merge", patch: { status } }, signal, {
      subresource: "status",
    });
  }

  const of = (object: Node | Pod | undefined) =>
    object?.status.conditions?.find(({ type }) => type === "Ready")?.status;
  return {
    client,
    clock,
    signal,
    told,
    say,
    addPod,
    lifecycle: nodeLifecycleController({ client, nodes, pods, leases, events, clock }),
    eviction: taintEvictionController({ client, nodes, pods, events, clock }),
    readiness: () => [of(nodes.get("a")), of(pods.get("n/web"))],
    taints: () => nodes.get("a")?.spec.taints?.map(({ key, effect }) => `${key}:${effect}`),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await api[Symbol.asyncDispose]();
    },
  };
}

test("a node that is silent for more than 50 s is unknown, its pods are not ready, and it comes back", async () => {
  await using world = await startWorld();
  const { lifecycle, clock, signal, readiness } = world;
  await world.say("True");
  await world.addPod();
  expect(await lifecycle.reconcile("a", signal)).toEqual({ requeueAfterMs: 5_000 });
  await clock.advance(50_000);
  await lifecycle.reconcile("a", signal);
  expect(readiness()).toEqual(["True", "True"]);
  await clock.advance(1);
  await lifecycle.reconcile("a", signal);
  expect(readiness()).toEqual(["Unknown", "False"]);
  // It is the only node: nobody is evicted.
  expect(world.taints()).toEqual(["node.kubernetes.io/unreachable:NoSchedule"]);
  expect(world.told.filter((each) => each.endsWith("NodeNotReady"))).toHaveLength(2);
  await world.say("True");
  await lifecycle.reconcile("a", signal);
  expect(readiness()).toEqual(["True", "False"]);
  expect(world.taints() ?? []).toEqual([]);
});

test("a node that has said nothing yet is given 60 s", async () => {
  await using world = await startWorld();
  const { lifecycle, clock, signal, readiness } = world;
  await lifecycle.reconcile("a", signal);
  await clock.advance(60_000);
  await lifecycle.reconcile("a", signal);
  expect(readiness()[0]).toBeUndefined();
  await clock.advance(1);
  await lifecycle.reconcile("a", signal);
  expect(readiness()[0]).toBe("Unknown");
});

test("a node that says that it is not ready is tainted, and its pods serve on", async () => {
  await using world = await startWorld();
  await world.say("False");
  await world.addPod();
  await world.lifecycle.reconcile("a", world.signal);
  expect(world.readiness()).toEqual(["False", "True"]);
  expect(world.taints()).toContain("node.kubernetes.io/not-ready:NoSchedule");
});

test("a pod that tolerates a taint for a while goes when that is over, whatever the wall clock says", async () => {
  await using world = await startWorld();
  const { client, clock, eviction, signal } = world;
  const key = "broken";
  // As a machine without a clock that keeps time would have noted it before it learned what day it is.
  const taints = [{ key, effect: "NoExecute", timeAdded: "1970-01-01T00:00:10Z" }];
  await client.patch(nodeResource, "a", { type: "merge", patch: { spec: { taints } } }, signal);
  await world.addPod({
    tolerations: [{ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 }],
  });
  expect(await eviction.reconcile("n/web", signal)).toEqual({ requeueAfterMs: 300_000 });
  await clock.advance(299_000);
  expect(await eviction.reconcile("n/web", signal)).toEqual({ requeueAfterMs: 1_000 });
  await clock.advance(1_000);
  expect(await eviction.reconcile("n/web", signal)).toBeUndefined();
  expect(world.told).toEqual(["web: TaintManagerEviction"]);
  const pod = await client.get(podResource, "n/web", signal);
  expect(pod?.metadata.deletionTimestamp).toBeDefined();
});
