import { describe, expect, test } from "vitest";
import { findCondition } from "../../pkg/api/conditions.ts";
import type { PodDisruptionBudget } from "../../pkg/api/generated/policy-v1.generated.ts";
import { eventResource } from "../../pkg/api/resources/event.ts";
import { podResource } from "../../pkg/api/resources/pod.ts";
import { podDisruptionBudgetResource } from "../../pkg/api/resources/poddisruptionbudget.ts";
import { type Clock, systemClock } from "../../pkg/base/clock.ts";
import { type LoopsWorld, startLoopsWorld } from "./loops-world.ts";

const core = "/api/v1/namespaces/default";
const apps = "/apis/apps/v1/namespaces/default";
const policy = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";

const containers = [{ name: "c", image: "one" }];
const template = { metadata: { labels: { app: "web" } }, spec: { containers } };
const selector = { matchLabels: { app: "web" } };

async function post(world: LoopsWorld, path: string, body: object) {
  const answer = await world.api.request("POST", path, { body });
  expect([answer.status, answer.text]).toEqual([201, expect.anything()]);
  return answer.json;
}

const deploy = (world: LoopsWorld, replicas: number) =>
  post(world, `${apps}/deployments`, {
    metadata: { name: "web" },
    spec: { replicas, selector, template },
  });

const guard = (world: LoopsWorld, spec: object) =>
  post(world, policy, { metadata: { name: "web" }, spec: { selector, ...spec } });

const evict = (world: LoopsWorld, name: string) =>
  world.api.request("POST", `${core}/pods/${name}/eviction`, { body: { metadata: { name } } });

const scaleTo = (world: LoopsWorld, replicas: number) =>
  world.api.request("PATCH", `${apps}/deployments/web/scale`, {
    body: { spec: { replicas } },
    headers: { "content-type": "application/merge-patch+json" },
  });

const setReady = (world: LoopsWorld, name: string | undefined, status: string) =>
  world.api.request("PATCH", `${core}/pods/${name}/status`, {
    body: { status: { conditions: [{ type: "Ready", status }] } },
    headers: { "content-type": "application/strategic-merge-patch+json" },
  });

/** The budget, once its numbers are these. */
const budgetWith = (world: LoopsWorld, status: Partial<PodDisruptionBudget["status"]>) =>
  world.until(podDisruptionBudgetResource, (all) =>
    all.find((each) =>
      Object.entries(status).every(
        ([key, value]) => each.status[key as keyof typeof status] === value,
      ),
    ),
  );

/** The budget, once it has said why it allows what it allows. */
const budgetBecause = (world: LoopsWorld, reason: string) =>
  world.until(podDisruptionBudgetResource, (all) =>
    all.find(
      ({ status }) => findCondition(status.conditions, "DisruptionAllowed")?.reason === reason,
    ),
  );

const eventOf = (world: LoopsWorld, reason: string) =>
  world.until(eventResource, (all) => all.find((event) => event.reason === reason));

const podsOn = async ({ client, signal }: LoopsWorld, nodeName: string) =>
  (await client.list(podResource, {}, signal)).items.filter(
    ({ spec, metadata }) => spec.nodeName === nodeName && metadata.deletionTimestamp === undefined,
  );

describe("a PodDisruptionBudget", () => {
  test("lets one pod of a Deployment go at a time, and the next once there is another in its place", async () => {
    await using world = await startLoopsWorld();
    await world.addNode("a");
    await deploy(world, 3);
    await guard(world, { maxUnavailable: 1 });
    const budget = await budgetWith(world, { disruptionsAllowed: 1, currentHealthy: 3 });
    expect(budget.status).toMatchObject({
      desiredHealthy: 2,
      expectedPods: 3,
      observedGeneration: 1,
    });
    const [first, second] = (await podsOn(world, "a")).map(({ metadata }) => metadata.name);
    if (first === undefined || second === undefined) throw new Error("there are no pods");

    // What comes in its place is not ready before we say so: nobody can be faster than the second eviction.
    world.broken.add("web-");
    const answers = await Promise.all([evict(world, first), evict(world, second)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 429]);
    const refused = answers.find(({ status }) => status === 429)?.json;
    expect(refused.message).toBe(
      "Cannot evict pod as it would violate the pod's disruption budget.",
    );
    const replacement = await world.until(podResource, (all) =>
      all.find(({ status }) => findCondition(status.conditions, "Ready")?.status === "False"),
    );
    await setReady(world, replacement.metadata.name, "True");
    const left = answers[0].status === 429 ? first : second;
    await world.until(podDisruptionBudgetResource, (all) =>
      all.find(
        ({ status }) => status.disruptionsAllowed === 1 && status.disruptedPods === undefined,
      ),
    );
    expect((await evict(world, left)).status).toBe(201);
    expect(world.errors).toEqual([]);
  });

  test("is honoured while a node is drained, and does not stop that", async () => {
    await using world = await startLoopsWorld();
    await world.addNode("a");
    await deploy(world, 4);
    await guard(world, { minAvailable: "75%" });
    await budgetWith(world, { disruptionsAllowed: 1, currentHealthy: 4, expectedPods: 4 });
    await world.addNode("b");
    await world.api.request("PATCH", "/api/v1/nodes/a", {
      body: { spec: { unschedulable: true } },
      headers: { "content-type": "application/merge-patch+json" },
    });
    let fewest = 4;
    const budgets = world.client.informer(podDisruptionBudgetResource);
    void budgets.run(world.signal);
    await budgets.synced(world.signal);
    budgets.subscribe(({ object }) => {
      fewest = Math.min(fewest, object.status.currentHealthy);
    });
    for (const { metadata } of await podsOn(world, "a")) {
      let answer = await evict(world, metadata.name);
      while (answer.status === 429) {
        await budgetWith(world, { disruptionsAllowed: 1 });
        answer = await evict(world, metadata.name);
      }
      expect(answer.status).toBe(201);
    }
    await world.until(podResource, (all) =>
      all.length === 4 && all.every(({ spec }) => spec.nodeName === "b") ? true : undefined,
    );
    expect(fewest).toBe(3);
    expect(world.errors).toEqual([]);
  });

  test("counts anew when its pods are scaled, change, or are not ready", async () => {
    await using world = await startLoopsWorld();
    await world.addNode("a");
    await deploy(world, 2);
    await guard(world, { maxUnavailable: "50%" });
    await budgetWith(world, { expectedPods: 2, desiredHealthy: 1, disruptionsAllowed: 1 });
    await scaleTo(world, 6);
    await budgetWith(world, { expectedPods: 6, desiredHealthy: 3, disruptionsAllowed: 3 });
    const [pod] = await podsOn(world, "a");
    await setReady(world, pod?.metadata.name, "False");
    await budgetWith(world, { currentHealthy: 5, disruptionsAllowed: 2 });
    await scaleTo(world, 0);
    const none = await budgetWith(world, { expectedPods: 0, currentHealthy: 0 });
    expect(none.status.disruptionsAllowed).toBe(0);
    const told = await eventOf(world, "NoPods");
    expect(told.message).toBe("No matching pods found");
    expect(world.errors).toEqual([]);
  });

  test("of pods whose number nobody knows allows nothing, and says why", async () => {
    await using world = await startLoopsWorld();
    await world.addNode("a");
    const daemons = await post(world, `${apps}/daemonsets`, {
      metadata: { name: "daemons" },
      spec: { selector, template },
    });
    await guard(world, { maxUnavailable: 1 });
    const { apiVersion, kind, metadata } = daemons;
    const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true };
    await post(world, `${core}/pods`, {
      metadata: { name: "d", labels: { app: "web" }, ownerReferences: [owner] },
      spec: { containers },
    });
    const failed = await budgetBecause(world, "SyncFailed");
    const why = "daemonsets.apps does not implement the scale subresource";
    expect(findCondition(failed.status.conditions, "DisruptionAllowed")).toMatchObject({
      status: "False",
      message: why,
    });
    expect((await eventOf(world, "CalculateExpectedPodCountFailed")).message).toBe(
      `Failed to calculate the number of expected pods: ${why}`,
    );
    await world.until(podResource, (all) => all.find(({ status }) => status.phase === "Running"));
    const refused = await evict(world, "d");
    expect(refused.json.details.causes[0].message).toBe(
      `The disruption budget web does not allow evicting pods currently because it failed sync: ${why}`,
    );
  });

  test("of pods that nobody keeps counts those that are there, by number only", async () => {
    await using world = await startLoopsWorld();
    await world.addNode("a");
    for (const name of ["x", "y"]) {
      await post(world, `${core}/pods`, {
        metadata: { name, labels: { app: "web" } },
        spec: { containers },
      });
    }
    await guard(world, { minAvailable: 1 });
    await budgetWith(world, { expectedPods: 2, currentHealthy: 2, disruptionsAllowed: 1 });
    await world.api.request("PATCH", `${policy}/web`, {
      body: { spec: { minAvailable: "50%" } },
      headers: { "content-type": "application/merge-patch+json" },
    });
    const budget = await budgetWith(world, { expectedPods: 0, observedGeneration: 2 });
    expect(budget.status.disruptionsAllowed).toBe(0);
    expect((await eventOf(world, "UnmanagedPods")).message).toMatch(
      /^Pods selected by this PodDisruptionBudget \(selector: &LabelSelector\{MatchLabels:map\[string\]string\{app: web,\},MatchExpressions:\[\]LabelSelectorRequirement\{\},\}\) were found to be unmanaged\. /,
    );
  });

  test("that guards what another guards, too, is told of on the pod", async () => {
    await using world = await startLoopsWorld();
    await guard(world, { minAvailable: 0 });
    await post(world, policy, { metadata: { name: "web-too" }, spec: { selector } });
    await budgetWith(world, { observedGeneration: 1 });
    await post(world, `${core}/pods`, {
      metadata: { name: "p", labels: { app: "web" } },
      spec: { containers },
    });
    const event = await eventOf(world, "MultiplePodDisruptionBudgets");
    expect([event.involvedObject.name, event.message]).toEqual([
      "p",
      'Pod "default"/"p" matches multiple PodDisruptionBudgets.  Chose "web" arbitrarily.',
    ]);
  });

  test("counts by the scale of whatever keeps its pods", async () => {
    await using world = await startLoopsWorld();
    await world.addNode("a");
    await post(world, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", scaled);
    const path = "/apis/a.example.com/v1/namespaces/default/herds";
    await world.until(podResource, () => world.api.resources.find("a.example.com", "v1", "herds"));
    const herd = await post(world, path, {
      apiVersion: "a.example.com/v1",
      kind: "Herd",
      metadata: { name: "web" },
      spec: { size: 3 },
    });
    const owner = {
      apiVersion: "a.example.com/v1",
      kind: "Herd",
      name: "web",
      uid: herd.metadata.uid,
      controller: true,
    };
    for (const name of ["x", "y", "z"]) {
      await post(world, `${core}/pods`, {
        metadata: { name, labels: { app: "web" }, ownerReferences: [owner] },
        spec: { containers },
      });
    }
    await guard(world, { maxUnavailable: 2 });
    await budgetWith(world, { expectedPods: 3, desiredHealthy: 1, disruptionsAllowed: 2 });
    expect(world.errors).toEqual([]);
  });
});

test("a pod that was marked to go and was not deleted says so no longer after two minutes", async () => {
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + 300_000 };
  await using world = await startLoopsWorld({ clock });
  await world.addNode("a");
  await post(world, `${core}/pods`, { metadata: { name: "p" }, spec: { containers } });
  await world.until(podResource, (all) => all.find(({ status }) => status.phase === "Running"));
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    lastTransitionTime: new Date(systemClock.now()).toISOString(),
  };
  await world.api.request("PATCH", `${core}/pods/p/status`, {
    body: { status: { conditions: [condition] } },
    headers: { "content-type": "application/strategic-merge-patch+json" },
  });
  const pod = await world.until(podResource, (all) =>
    all.find(
      ({ status }) => findCondition(status.conditions, "DisruptionTarget")?.status === "False",
    ),
  );
  expect(findCondition(pod.status.conditions, "Ready")?.status).toBe("True");
  expect(world.errors).toEqual([]);
});

const scaled = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "herds.a.example.com" },
  spec: {
    group: "a.example.com",
    scope: "Namespaced",
    names: { plural: "herds", kind: "Herd" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: { type: "object", properties: { size: { type: "integer" } } },
              status: { type: "object", properties: { size: { type: "integer" } } },
            },
          },
        },
        subresources: {
          scale: { specReplicasPath: ".spec.size", statusReplicasPath: ".status.size" },
        },
      },
    ],
  },
};
