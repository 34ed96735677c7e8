import { expect, test } from "vitest";
import type { Deployment } from "../../pkg/api/generated/apps-v1.generated.ts";
import type { NewObject } from "../../pkg/api/object.ts";
import { configMapResource } from "../../pkg/api/resources/configmap.ts";
import { deploymentResource } from "../../pkg/api/resources/deployment.ts";
import { endpointsResource } from "../../pkg/api/resources/endpoints.ts";
import { endpointSliceResource } from "../../pkg/api/resources/endpointslice.ts";
import { eventResource } from "../../pkg/api/resources/event.ts";
import { namespaceResource } from "../../pkg/api/resources/namespace.ts";
import { nodeResource } from "../../pkg/api/resources/node.ts";
import { podResource } from "../../pkg/api/resources/pod.ts";
import { replicaSetResource } from "../../pkg/api/resources/replicaset.ts";
import { replicationControllerResource } from "../../pkg/api/resources/replicationcontroller.ts";
import { serviceResource } from "../../pkg/api/resources/service.ts";
import { serviceAccountResource } from "../../pkg/api/resources/serviceaccount.ts";
import { startLoopsWorld } from "./loops-world.ts";

function deployment(name: string, replicas: number, image = "one"): NewObject<Deployment> {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: "c", image, resources: {} }] },
      },
      strategy: {},
    },
  };
}

const named = (name: string) => (objects: readonly { metadata: { name: string } }[]) =>
  objects.find((object) => object.metadata.name === name);

test("a Deployment gets its pods, rolls to another template, goes back, and takes all with it", async () => {
  await using world = await startLoopsWorld();
  const { client, signal, until } = world;
  await world.addNode("a");
  await world.addNode("b");
  await client.create(deploymentResource, deployment("web", 3), signal);
  const isDone = (image: string) => (all: readonly Deployment[]) =>
    all.find(
      ({ status, spec, metadata }) =>
        spec.template.spec.containers[0]?.image === image &&
        status.observedGeneration === metadata.generation &&
        status.updatedReplicas === 3 &&
        status.availableReplicas === 3 &&
        status.replicas === 3,
    );
  const first = await until(deploymentResource, isDone("one"));
  expect(first.metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("1");
  const pods = await client.list(podResource, { namespace: "default" }, signal);
  expect(new Set(pods.items.map(({ spec }) => spec.nodeName))).toEqual(new Set(["a", "b"]));

  const image = (value: string) =>
    client.patch(
      deploymentResource,
      "default/web",
      {
        type: "strategic",
        patch: { spec: { template: { spec: { containers: [{ name: "c", image: value }] } } } },
      },
      signal,
    );
  await image("two");
  const second = await until(deploymentResource, isDone("two"));
  expect(second.metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("2");
  await image("one");
  await until(deploymentResource, (all) => {
    const done = isDone("one")(all);
    return done?.metadata.annotations?.["deployment.kubernetes.io/revision"] === "3"
      ? done
      : undefined;
  });
  const sets = await client.list(replicaSetResource, {}, signal);
  expect(sets.items.map(({ spec }) => spec.replicas).sort()).toEqual([0, 3]);

  const events = await until(eventResource, (all) => {
    const messages = all.map(({ reason, message }) => `${reason}: ${message}`);
    return messages.some((message) => message.startsWith("Scheduled:")) ? messages : undefined;
  });
  expect(events).toContainEqual(
    expect.stringMatching(/^ScalingReplicaSet: Scaled up replica set web-\w+ from 0 to 3$/),
  );
  expect(events).toContainEqual(expect.stringMatching(/^SuccessfulCreate: Created pod: web-/));
  expect(events).toContainEqual(
    expect.stringMatching(/^Scheduled: Successfully assigned default\/web-\S+ to [ab]$/),
  );

  await client.delete(deploymentResource, "default/web", signal);
  await until(podResource, (all) => (all.length === 0 ? true : undefined));
  await until(replicaSetResource, (all) => (all.length === 0 ? true : undefined));
  expect(world.errors).toEqual([]);
});

test("a ReplicationController gets its pods, adopts and replaces them, and is scaled", async () => {
  await using world = await startLoopsWorld();
  const { client, signal, until } = world;
  await world.addNode("a");
  const labels = { app: "old" };
  const container = { name: "c", image: "one", resources: {} };
  const orphan = await client.create(
    podResource,
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "orphan", namespace: "default", labels },
      spec: { containers: [container] },
    },
    signal,
  );
  const made = await client.create(
    replicationControllerResource,
    {
      apiVersion: "v1",
      kind: "ReplicationController",
      metadata: { name: "old", namespace: "default" },
      spec: {
        replicas: 3,
        minReadySeconds: 0,
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    },
    signal,
  );
  const hasAll = (replicas: number, generation: number) =>
    until(replicationControllerResource, (all) =>
      all.find(
        ({ status }) =>
          status.observedGeneration === generation &&
          status.replicas === replicas &&
          (status.availableReplicas ?? 0) === replicas,
      ),
    );
  const { status } = await hasAll(3, 1);
  expect(status).toEqual({
    replicas: 3,
    fullyLabeledReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    observedGeneration: 1,
  });
  const pods = (await client.list(podResource, {}, signal)).items;
  expect(pods.map(({ metadata }) => metadata.uid)).toContain(orphan.metadata.uid);
  for (const { metadata } of pods) {
    expect(metadata.ownerReferences).toEqual([
      {
        apiVersion: "v1",
        kind: "ReplicationController",
        name: "old",
        uid: made.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
  }
  const event = await until(eventResource, (all) =>
    all.find(({ reason }) => reason === "SuccessfulCreate"),
  );
  expect(event).toMatchObject({
    involvedObject: { kind: "ReplicationController", name: "old" },
    source: { component: "replication-controller" },
    message: expect.stringMatching(/^Created pod: old-/),
  });

  // Whoever is no longer chosen is let go, and another comes in its place.
  const relabel = { type: "merge", patch: { metadata: { labels: { app: "else" } } } } as const;
  await client.patch(podResource, "default/orphan", relabel, signal);
  await until(podResource, (all) =>
    all.length === 4
      ? all.find(({ metadata }) => metadata.name === "orphan" && !metadata.ownerReferences)
      : undefined,
  );
  const scale = { type: "merge", patch: { spec: { replicas: 1 } } } as const;
  await client.patch(replicationControllerResource, "default/old", scale, signal);
  await hasAll(1, 2);
  expect(world.errors).toEqual([]);
});

test("a pod that fits nowhere is told why, and placed when a node comes that it fits on", async () => {
  await using world = await startLoopsWorld();
  const { client, signal, until } = world;
  await world.addNode("small", { cpu: "1" });
  await client.create(
    podResource,
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "big", namespace: "default" },
      spec: {
        containers: [{ name: "c", image: "one", resources: { requests: { cpu: "2" } } }],
      },
    },
    signal,
  );
  const message =
    "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
  await until(podResource, (all) =>
    all.find(({ status }) =>
      status.conditions?.some(
        (condition) =>
          condition.type === "PodScheduled" &&
          condition.status === "False" &&
          condition.reason === "Unschedulable" &&
          condition.message === message,
      ),
    ),
  );
  const event = await until(eventResource, (all) =>
    all.find(({ reason }) => reason === "FailedScheduling"),
  );
  expect(event).toMatchObject({
    type: "Warning",
    message,
    source: { component: "default-scheduler" },
  });
  await world.addNode("large");
  const placed = await until(podResource, (all) =>
    all.find(({ status }) => status.phase === "Running"),
  );
  expect(placed.spec.nodeName).toBe("large");
  expect(world.errors).toEqual([]);
});

test("a pod that must be with others waits until one of them is placed", async () => {
  await using world = await startLoopsWorld();
  const { client, signal, until } = world;
  const labels = { "kubernetes.io/hostname": "a" };
  await world.addNode("a", { labels });
  const term = {
    topologyKey: "kubernetes.io/hostname",
    labelSelector: { matchLabels: { app: "db" } },
  };
  const { spec, ...web } = deployment("web", 1);
  const affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
  const template = { ...spec.template, spec: { ...spec.template.spec, affinity } };
  await client.create(deploymentResource, { ...web, spec: { ...spec, template } }, signal);
  await until(podResource, (all) =>
    all.find(({ status }) =>
      status.conditions?.some(({ message = "" }) =>
        message.includes("1 node(s) didn't match pod affinity rules."),
      ),
    ),
  );
  await client.create(deploymentResource, deployment("db", 1), signal);
  await until(podResource, (all) =>
    all.filter(({ spec: { nodeName } }) => nodeName === "a").length === 2 ? true : undefined,
  );
  expect(world.errors).toEqual([]);
});

test("a Service's endpoints follow its pods", async () => {
  await using world = await startLoopsWorld();
  const { client, signal, until } = world;
  await world.addNode("a", { labels: { "topology.kubernetes.io/zone": "here" } });
  await client.create(deploymentResource, deployment("web", 2), signal);
  await client.create(
    serviceResource,
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace: "default", labels: { team: "x" } },
      spec: {
        selector: { app: "web" },
        ports: [{ name: "http", port: 80, targetPort: 8080, protocol: "TCP" }],
      },
    },
    signal,
  );
  const slice = await until(endpointSliceResource, (all) =>
    all.find(
      ({ endpoints = [] }) => endpoints.filter(({ conditions }) => conditions.ready).length === 2,
    ),
  );
  expect(slice.metadata.labels).toEqual({
    team: "x",
    "kubernetes.io/service-name": "web",
    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
  });
  expect(slice.ports).toEqual([{ name: "http", protocol: "TCP", port: 8080 }]);
  expect(slice.endpoints?.[0]).toMatchObject({
    nodeName: "a",
    zone: "here",
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: { kind: "Pod", namespace: "default" },
  });
  const endpoints = await until(endpointsResource, (all) =>
    all.find(({ subsets }) => subsets?.[0]?.addresses?.length === 2),
  );
  expect(endpoints.metadata.labels).toEqual({
    team: "x",
    "endpoints.kubernetes.io/managed-by": "endpoint-controller",
  });
  expect(endpoints.subsets?.[0]?.ports).toEqual([{ name: "http", port: 8080, protocol: "TCP" }]);

  world.broken.add("web-");
  const pods = await client.list(podResource, {}, signal);
  await client.delete(podResource, `default/${pods.items[0]?.metadata.name}`, signal);
  await until(endpointsResource, (all) =>
    all.find(
      ({ subsets }) =>
        subsets?.[0]?.addresses?.length === 1 && subsets[0].notReadyAddresses?.length === 1,
    ),
  );
  await until(endpointSliceResource, (all) =>
    all.find(
      ({ endpoints = [] }) =>
        endpoints.length === 2 && endpoints.some((each) => each.conditions.ready === false),
    ),
  );
  await client.delete(serviceResource, "default/web", signal);
  await until(endpointSliceResource, (all) =>
    all.some(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === "web")
      ? undefined
      : true,
  );
  await until(endpointsResource, (all) => (named("web")(all) === undefined ? true : undefined));
  expect(world.errors).toEqual([]);
});

test("a namespace has its ServiceAccount and CA, and takes all it has with it", async () => {
  await using world = await startLoopsWorld();
  const { client, signal, until } = world;
  await world.addNode("a");
  const metadata = { name: "shop" };
  await client.create(
    namespaceResource,
    { apiVersion: "v1", kind: "Namespace", metadata, spec: {} },
    signal,
  );
  await until(serviceAccountResource, (all) =>
    all.find((each) => each.metadata.namespace === "shop"),
  );
  const ca = await until(configMapResource, (all) =>
    all.find((each) => each.metadata.namespace === "shop"),
  );
  expect([ca.metadata.name, ca.data]).toEqual(["kube-root-ca.crt", { "ca.crt": "the CA" }]);
  const shop = deployment("web", 2);
  await client.create(
    deploymentResource,
    { ...shop, metadata: { name: "web", namespace: "shop" } },
    signal,
  );
  await until(podResource, (all) =>
    all.filter(({ status }) => status.phase === "Running").length === 2 ? true : undefined,
  );
  await client.delete(namespaceResource, "shop", signal);
  await until(namespaceResource, (all) => (named("shop")(all) === undefined ? true : undefined));
  for (const resource of [
    podResource,
    deploymentResource,
    configMapResource,
    eventResource,
  ] as const) {
    const { items } = await client.list(resource as never, { namespace: "shop" }, signal);
    expect(items).toEqual([]);
  }
  expect(world.errors).toEqual([]);
});

test("foreground deletion takes the dependents first, orphaning leaves them", async () => {
  await using world = await startLoopsWorld();
  const { client, signal, until } = world;
  await world.addNode("a");
  for (const name of ["front", "kept"]) {
    await client.create(deploymentResource, deployment(name, 1), signal);
  }
  await until(podResource, (all) =>
    all.filter(({ status }) => status.phase === "Running").length === 2 ? true : undefined,
  );
  await client.delete(deploymentResource, "default/kept", signal, { propagationPolicy: "Orphan" });
  await client.delete(deploymentResource, "default/front", signal, {
    propagationPolicy: "Foreground",
  });
  await until(deploymentResource, (all) => (all.length === 0 ? true : undefined));
  const sets = (await client.list(replicaSetResource, {}, signal)).items;
  // "front" was let go only after its ReplicaSet, and that only after its pod.
  expect(
    sets.map(({ metadata }) => [metadata.name.split("-")[0], metadata.ownerReferences]),
  ).toEqual([["kept", undefined]]);
  const pods = (await client.list(podResource, {}, signal)).items;
  expect(pods.map(({ metadata }) => metadata.name.split("-")[0])).toEqual(["kept"]);
  await client.create(deploymentResource, deployment("kept", 1), signal);
  await until(replicaSetResource, (all) =>
    all.find(({ metadata }) => metadata.ownerReferences?.[0]?.name === "kept"),
  );
  expect(world.errors).toEqual([]);
});

test("nodes get pod addresses of their own, and a NoExecute taint makes pods go", async () => {
  await using world = await startLoopsWorld();
  const { client, signal, until } = world;
  await world.addNode("a");
  await world.addNode("b");
  const cidrs = await until(nodeResource, (all) => {
    const given = all.map(({ spec }) => spec.podCIDR).filter((cidr) => cidr !== undefined);
    return given.length === 2 ? given.sort() : undefined;
  });
  expect(cidrs).toEqual(["10.42.0.0/24", "10.42.1.0/24"]);
  await client.create(deploymentResource, deployment("web", 2), signal);
  await until(podResource, (all) =>
    all.filter(({ status }) => status.phase === "Running").length === 2 ? true : undefined,
  );
  const taints = [{ key: "broken", effect: "NoExecute" }];
  await client.patch(nodeResource, "a", { type: "merge", patch: { spec: { taints } } }, signal);
  await until(podResource, (all) =>
    all.length === 2 &&
    all.every(({ spec, status }) => spec.nodeName === "b" && status.phase === "Running")
      ? true
      : undefined,
  );
  expect(world.errors).toEqual([]);
});
