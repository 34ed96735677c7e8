import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiWorld, startApiWorld } from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await startApiWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const core = "/api/v1/namespaces/default";
const apps = "/apis/apps/v1/namespaces/default";
const batch = "/apis/batch/v1/namespaces/default";
const policy = "/apis/policy/v1/namespaces/default";

const podSpec = { containers: [{ name: "web", image: "nginx" }] };
const template = { metadata: { labels: { app: "web" } }, spec: podSpec };
const jobSpec = { template: { spec: { ...podSpec, restartPolicy: "Never" } } };

const post = (path: string, body: unknown) => world.request("POST", path, { body });
const get = (path: string) => world.request("GET", path);
const patch = (path: string, body: unknown) =>
  world.request("PATCH", path, {
    body,
    headers: { "content-type": "application/merge-patch+json" },
  });
const setStatus = (path: string, status: unknown) => patch(`${path}/status`, { status });

describe("a Job", () => {
  test("with a generated name selects its pods by the uid and the name that it got", async () => {
    const made = await post(`${batch}/jobs`, { metadata: { generateName: "run-" }, spec: jobSpec });
    expect(made.status).toBe(201);
    const { metadata, spec } = made.json;
    expect(metadata.generation).toBe(1);
    expect(spec.selector.matchLabels).toEqual({
      "batch.kubernetes.io/controller-uid": metadata.uid,
    });
    expect(spec.template.metadata.labels["batch.kubernetes.io/job-name"]).toBe(metadata.name);
  });

  test("leaves its pods behind unless the client says otherwise", async () => {
    await post(`${batch}/jobs`, { metadata: { name: "left" }, spec: jobSpec });
    const path = `${batch}/jobs/left`;
    const marked = await world.request("DELETE", path);
    expect(marked.json.metadata.finalizers).toEqual(["orphan"]);
    await post(`${batch}/jobs`, { metadata: { name: "swept" }, spec: jobSpec });
    const swept = await world.request("DELETE", `${batch}/jobs/swept?propagationPolicy=Background`);
    expect(swept.json).toMatchObject({ kind: "Status", status: "Success" });
  });

  test("is chosen by how many of its pods have succeeded", async () => {
    await post(`${batch}/jobs`, { metadata: { name: "counted" }, spec: jobSpec });
    await setStatus(`${batch}/jobs/counted`, { succeeded: 3 });
    const chosen = await get(`${batch}/jobs?fieldSelector=status.successful%3D3`);
    expect(
      chosen.json.items.map((item: { metadata: { name: string } }) => item.metadata.name),
    ).toEqual(["counted"]);
  });
});

test("a DaemonSet counts its templates, and its spec", async () => {
  const path = `${apps}/daemonsets`;
  const spec = { selector: { matchLabels: { app: "web" } }, template };
  const made = await post(path, { metadata: { name: "web" }, spec });
  const counted = (answer: typeof made) => [
    answer.json.metadata.generation,
    answer.json.metadata.annotations["deprecated.daemonset.template.generation"],
  ];
  expect(counted(made)).toEqual([1, "1"]);
  expect(counted(await patch(`${path}/web`, { spec: { minReadySeconds: 3 } }))).toEqual([2, "1"]);
  const image = { spec: { template: { spec: { terminationGracePeriodSeconds: 3 } } } };
  expect(counted(await patch(`${path}/web`, image))).toEqual([3, "2"]);
});

test("what can be scaled is, and says which pods it counts", async () => {
  const spec = { selector: { matchLabels: { app: "web" } }, template };
  await post(`${apps}/statefulsets`, { metadata: { name: "set" }, spec });
  await post(`${core}/replicationcontrollers`, { metadata: { name: "old" }, spec: { template } });
  for (const path of [`${apps}/statefulsets/set`, `${core}/replicationcontrollers/old`]) {
    const scaled = await patch(`${path}/scale`, { spec: { replicas: 3 } });
    expect(scaled.json).toMatchObject({
      kind: "Scale",
      spec: { replicas: 3 },
      status: { replicas: 0, selector: "app=web" },
    });
    const { metadata, spec: next } = (await get(path)).json;
    expect([next.replicas, metadata.generation]).toEqual([3, 2]);
  }
});

describe("an autoscaler", () => {
  const spec = {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
    maxReplicas: 3,
  };
  const at = (version: string) =>
    `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;

  test("is one object in both versions", async () => {
    const made = await post(at("v1"), {
      metadata: { name: "web" },
      spec: { ...spec, targetCPUUtilizationPercentage: 50 },
    });
    expect(made.status).toBe(201);
    expect(made.json.metadata.generation).toBe(undefined);
    const newer = (await get(`${at("v2")}/web`)).json;
    expect(newer.apiVersion).toBe("autoscaling/v2");
    expect(newer.spec.metrics[0].resource.target.averageUtilization).toBe(50);
    await patch(`${at("v2")}/web`, { spec: { minReplicas: 2 } });
    const older = (await get(`${at("v1")}/web`)).json;
    expect(older.spec).toMatchObject({ minReplicas: 2, targetCPUUtilizationPercentage: 50 });
    expect(older.metadata.uid).toBe(newer.metadata.uid);
    await world.request("DELETE", `${at("v1")}/web`);
    expect((await get(`${at("v2")}/web`)).status).toBe(404);
  });
});

test("an event is one object in both its groups", async () => {
  const body = {
    metadata: { name: "tried" },
    eventTime: "2026-01-01T00:00:00.000000Z",
    reportingController: "a.io/b",
    reportingInstance: "b-1",
    action: "Try",
    reason: "Tried",
    type: "Normal",
    regarding: { kind: "Pod", name: "web", namespace: "default" },
    note: "it was tried",
  };
  const newer = "/apis/events.k8s.io/v1/namespaces/default/events";
  expect((await post(newer, body)).status).toBe(201);
  expect((await get(`${core}/events/tried`)).json).toMatchObject({
    involvedObject: { name: "web" },
    message: "it was tried",
  });
  const selected = await get(`${newer}?fieldSelector=regarding.name%3Dweb`);
  expect(selected.json.items).toHaveLength(1);
  expect(selected.json.items[0].note).toBe("it was tried");
  const refused = await world.request("PUT", `${newer}/tried`, { body: { ...body, note: "no" } });
  expect(refused.status).toBe(422);
});

test("a disruption budget is replaced only by who says which version", async () => {
  const body = { metadata: { name: "kept" }, spec: { minAvailable: 1 } };
  const made = await post(`${policy}/poddisruptionbudgets`, body);
  const path = `${policy}/poddisruptionbudgets/kept`;
  const blind = await world.request("PUT", path, { body });
  expect([blind.status, blind.json.message]).toEqual([
    422,
    'PodDisruptionBudget.policy "kept" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
  ]);
  const { resourceVersion } = made.json.metadata;
  const seeing = { ...body, metadata: { ...body.metadata, resourceVersion } };
  expect((await world.request("PUT", path, { body: seeing })).status).toBe(200);
});

describe("an eviction", () => {
  const violated = "Cannot evict pod as it would violate the pod's disruption budget.";

  /** A running pod, ready or not, that a budget of the same name guards. */
  async function guarded(name: string, ready: boolean, budgetStatus: object | undefined) {
    await post(`${core}/pods`, { metadata: { name, labels: { guard: name } }, spec: podSpec });
    await setStatus(`${core}/pods/${name}`, {
      phase: "Running",
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
    });
    if (budgetStatus === undefined) return;
    await post(`${policy}/poddisruptionbudgets`, {
      metadata: { name },
      spec: { minAvailable: 1, selector: { matchLabels: { guard: name } } },
    });
    await setStatus(`${policy}/poddisruptionbudgets/${name}`, budgetStatus);
  }

  const evict = (name: string, more: object = {}) =>
    post(`${core}/pods/${name}/eviction`, { metadata: { name }, ...more });
  const counts = { currentHealthy: 2, desiredHealthy: 1, expectedPods: 2, disruptionsAllowed: 1 };

  test("takes a disruption from the budget, and says on the pod why it goes", async () => {
    await guarded("spent", true, { ...counts, observedGeneration: 1 });
    await patch(`${core}/pods/spent`, { metadata: { finalizers: ["a.io/wait"] } });
    const dry = await evict("spent", { deleteOptions: { dryRun: ["All"] } });
    expect(dry.status).toBe(201);
    const evicted = await evict("spent");
    expect([evicted.status, evicted.json.status]).toEqual([201, "Success"]);
    const { status } = (await get(`${policy}/poddisruptionbudgets/spent`)).json;
    expect(status.disruptionsAllowed).toBe(0);
    expect(Object.keys(status.disruptedPods)).toEqual(["spent"]);
    expect(status.conditions).toMatchObject([
      { type: "DisruptionAllowed", status: "False", reason: "InsufficientPods" },
    ]);
    const pod = (await get(`${core}/pods/spent`)).json;
    expect(pod.metadata.deletionTimestamp).toBeDefined();
    expect(pod.status.conditions).toContainEqual(
      expect.objectContaining({ type: "DisruptionTarget", reason: "EvictionByEvictionAPI" }),
    );
    await patch(`${core}/pods/spent`, { metadata: { finalizers: null } });
  });

  test("that the budget does not allow has to wait", async () => {
    await guarded("none", true, {
      ...counts,
      disruptionsAllowed: 0,
      currentHealthy: 1,
      observedGeneration: 1,
    });
    const refused = await evict("none");
    expect(refused.status).toBe(429);
    expect(refused.json).toMatchObject({
      reason: "TooManyRequests",
      message: violated,
      details: {
        causes: [
          {
            reason: "DisruptionBudget",
            message: "The disruption budget none needs 1 healthy pods and has 1 currently",
          },
        ],
      },
    });
    expect((await get(`${core}/pods/none`)).json.metadata.deletionTimestamp).toBe(undefined);
  });

  test("while the budget is being counted is told when to ask again", async () => {
    await guarded("stale", true, counts);
    const refused = await evict("stale");
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "10"]);
    expect(refused.json.details.causes[0].message).toBe(
      "The disruption budget stale is still being processed by the server.",
    );
  });

  test("of a pod that is not ready takes nothing where enough others are", async () => {
    await guarded("unready", false, { ...counts, disruptionsAllowed: 0, observedGeneration: 1 });
    expect((await evict("unready")).status).toBe(201);
    const { status } = (await get(`${policy}/poddisruptionbudgets/unready`)).json;
    expect(status.disruptedPods).toBe(undefined);
  });

  test("of a pod without a budget is a delete", async () => {
    await guarded("free", true, undefined);
    expect((await evict("free")).status).toBe(201);
    expect((await get(`${core}/pods/free`)).status).toBe(404);
  });

  test("of a pod with two budgets is none that upstream can do", async () => {
    await guarded("twice", true, { ...counts, observedGeneration: 1 });
    await post(`${policy}/poddisruptionbudgets`, {
      metadata: { name: "twice-again" },
      spec: { selector: { matchLabels: { guard: "twice" } } },
    });
    expect((await evict("twice")).json).toMatchObject({
      status: "Failure",
      code: 500,
      message:
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    });
  });

  test("names the pod that the path names", async () => {
    await guarded("named", true, undefined);
    const refused = await post(`${core}/pods/named/eviction`, { metadata: { name: "other" } });
    expect([refused.status, refused.json.message]).toEqual([
      400,
      "name in URL does not match name in Eviction object",
    ]);
  });
});
