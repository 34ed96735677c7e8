import { expect, test } from "vitest";
import type { ResourceQuota } from "../../pkg/api/generated/core-v1.generated.ts";
import { namespaceResource } from "../../pkg/api/resources/namespace.ts";
import { podResource } from "../../pkg/api/resources/pod.ts";
import { resourceQuotaResource } from "../../pkg/api/resources/resourcequota.ts";
import { serviceAccountResource } from "../../pkg/api/resources/serviceaccount.ts";
import type { LoopsWorld } from "./loops-world.ts";
import { startLoopsWorld } from "./loops-world.ts";

/** A namespace with its default account, which its pods wait for. */
async function namespaceIn(world: LoopsWorld, labels: Record<string, string> = {}): Promise<void> {
  const { client, signal } = world;
  const metadata = { name: "shop", labels };
  await client.create(
    namespaceResource,
    { apiVersion: "v1", kind: "Namespace", metadata, spec: {} },
    signal,
  );
  await world.until(serviceAccountResource, (accounts) =>
    accounts.find(({ metadata }) => metadata.namespace === "shop"),
  );
}

/** Makes a quota, and waits until it is counted. */
async function quotaIn(world: LoopsWorld, spec: object, name = "q"): Promise<void> {
  const created = await post(world, "resourcequotas", { metadata: { name }, spec });
  expect(created.status).toBe(201);
  await quotaUntil(world, ({ status }) => status?.used !== undefined, name);
}

function quotaUntil(
  world: LoopsWorld,
  isSo: (quota: ResourceQuota) => boolean,
  name = "q",
): Promise<ResourceQuota> {
  return world.until(resourceQuotaResource, (quotas) =>
    quotas.find((quota) => quota.metadata.name === name && isSo(quota)),
  );
}

async function usedOf(world: LoopsWorld, name = "q"): Promise<object> {
  const quota = await world.client.get(resourceQuotaResource, `shop/${name}`, world.signal);
  return quota?.status?.used ?? {};
}

function post(world: LoopsWorld, plural: string, body: object, query = "") {
  return world.api.request("POST", `/api/v1/namespaces/shop/${plural}${query}`, { body });
}

function remove(world: LoopsWorld, plural: string, name: string) {
  return world.api.request("DELETE", `/api/v1/namespaces/shop/${plural}/${name}`);
}

const pod = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "c", image: "i" }], ...spec },
});

test("a namespace with limits, a quota and a security level: each says its own", async () => {
  await using world = await startLoopsWorld();
  await namespaceIn(world, { "pod-security.kubernetes.io/enforce": "baseline" });
  await quotaIn(world, { hard: { "requests.cpu": "300m", pods: "5" } });
  const silent = await post(world, "pods", pod("silent"));
  expect(silent.json).toMatchObject({
    code: 403,
    message: 'pods "silent" is forbidden: failed quota: q: must specify requests.cpu for: c',
  });
  const limits = [{ type: "Container", defaultRequest: { cpu: "200m" }, max: { cpu: "1" } }];
  await post(world, "limitranges", { metadata: { name: "l" }, spec: { limits } });
  const first = await post(world, "pods", pod("first"));
  expect(first.json).toMatchObject({
    metadata: {
      annotations: {
        "kubernetes.io/limit-ranger":
          "LimitRanger plugin set: cpu request for container c; cpu limit for container c",
      },
    },
    spec: { containers: [{ resources: { requests: { cpu: "200m" }, limits: { cpu: "1" } } }] },
  });
  expect(await usedOf(world)).toEqual({ pods: "1", "requests.cpu": "200m" });
  const second = await post(world, "pods", pod("second"));
  expect(second.json).toMatchObject({
    code: 403,
    reason: "Forbidden",
    message:
      'pods "second" is forbidden: exceeded quota: q, requested: requests.cpu=200m, used: requests.cpu=200m, limited: requests.cpu=300m',
    details: { name: "second", kind: "pods" },
  });
  const host = await post(world, "pods", pod("host", { hostNetwork: true }));
  expect(host.json.message).toBe(
    'pods "host" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
  );
  const template = { metadata: { labels: { a: "b" } }, spec: pod("", { hostPID: true }).spec };
  const workload = await world.api.request("POST", "/apis/apps/v1/namespaces/shop/deployments", {
    body: {
      metadata: { name: "d" },
      spec: { replicas: 0, selector: { matchLabels: { a: "b" } }, template },
    },
  });
  expect(workload.status).toBe(201);
  expect(workload.headers["warning"]).toBe(
    '299 - "would violate PodSecurity \\"baseline:latest\\": host namespaces (hostPID=true)"',
  );
  await remove(world, "pods", "first");
  await quotaUntil(world, ({ status }) => status?.used?.["pods"] === "0");
  expect((await post(world, "pods", pod("second"))).status).toBe(201);
});

test("of many who ask at once, exactly as many get in as the quota says, whatever else goes on", async () => {
  await using world = await startLoopsWorld();
  await namespaceIn(world);
  const podsMax = 10;
  await quotaIn(world, { hard: { pods: String(podsMax) } });
  await quotaIn(world, { hard: { "count/pods": String(podsMax + 3) } }, "other");
  const pods = world.client.informer(podResource);
  let most = 0;
  const running = pods.run(world.signal);
  pods.subscribe(() => {
    most = Math.max(most, pods.list("shop").length);
  });
  const storm = async (round: string, count: number) => {
    const names = Array.from({ length: count }, (_, index) => `${round}-${index}`);
    const answers = await Promise.all(names.map((name) => post(world, "pods", pod(name))));
    const refused = answers.filter(({ status }) => status !== 201);
    for (const { json } of refused) {
      expect(json.message).toMatch(
        /exceeded quota: q, requested: pods=1, used: pods=10, limited: pods=10$/,
      );
    }
    return names.filter((_, index) => answers[index]?.status === 201);
  };
  let here = await storm("first", 60);
  expect(here).toHaveLength(podsMax);
  expect(await usedOf(world)).toEqual({ pods: "10" });
  for (let round = 0; round < 4; round += 1) {
    const leaving = here.slice(0, 5);
    const [, came] = await Promise.all([
      Promise.all(leaving.map((name) => remove(world, "pods", name))),
      Promise.all(
        Array.from({ length: 30 }, (_, index) => post(world, "pods", pod(`r${round}-${index}`))),
      ),
    ]);
    const left = await world.client.list(podResource, { namespace: "shop" }, world.signal);
    expect(left.items.length).toBeLessThanOrEqual(podsMax);
    expect(came.some(({ status }) => status === 403)).toBe(true);
    await quotaUntil(world, ({ status }) => status?.used?.["pods"] === String(left.items.length));
    here = left.items.map(({ metadata }) => metadata.name);
    here.push(...(await storm(`fill${round}`, 20)));
    expect(here).toHaveLength(podsMax);
  }
  expect(most).toBe(podsMax);
  expect(await usedOf(world, "other")).toEqual({ "count/pods": "10" });
  expect(world.errors).toEqual([]);
  void running;
});

test("what comes to nothing costs nothing: a name that is taken, a dry run, a pod that is not valid", async () => {
  await using world = await startLoopsWorld();
  await namespaceIn(world);
  await quotaIn(world, { hard: { secrets: "2", pods: "2" } });
  const used = { secrets: "1", pods: "0" };
  expect((await post(world, "secrets", { metadata: { name: "mine" } })).status).toBe(201);
  expect(await usedOf(world)).toEqual(used);
  expect((await post(world, "secrets", { metadata: { name: "mine" } })).status).toBe(409);
  expect((await post(world, "secrets", { metadata: { name: "dry" } }, "?dryRun=All")).status).toBe(
    201,
  );
  expect((await post(world, "pods", pod("bad", { containers: [] }))).status).toBe(422);
  expect(await usedOf(world)).toEqual(used);
  await post(world, "secrets", { metadata: { name: "more" } });
  const over = await post(world, "secrets", { metadata: { name: "over" } }, "?dryRun=All");
  expect(over.json.message).toBe(
    'secrets "over" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=2, limited: secrets=2',
  );
});

test("what an update takes more is charged, and what it gives back is counted", async () => {
  await using world = await startLoopsWorld();
  await namespaceIn(world);
  await quotaIn(world, { hard: { services: "2", "services.nodeports": "1" } });
  const service = (type: string, ports: number) => ({
    metadata: { name: "web" },
    spec: {
      type,
      selector: { a: "b" },
      ports: Array.from({ length: ports }, (_, index) => ({ name: `p${index}`, port: 80 + index })),
    },
  });
  expect((await post(world, "services", service("ClusterIP", 2))).status).toBe(201);
  const put = async (type: string, ports: number) => {
    const path = "/api/v1/namespaces/shop/services/web";
    const { json } = await world.api.request("GET", path);
    const { spec } = service(type, ports);
    return await world.api.request("PUT", path, {
      body: { ...json, spec: { ...json.spec, ...spec } },
    });
  };
  expect((await put("NodePort", 2)).json.message).toBe(
    'services "web" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1',
  );
  expect((await put("NodePort", 1)).status).toBe(200);
  expect(await usedOf(world)).toEqual({ services: "1", "services.nodeports": "1" });
  expect((await put("ClusterIP", 1)).status).toBe(200);
  await quotaUntil(world, ({ status }) => status?.used?.["services.nodeports"] === "0");
});

test("a pod that ended makes room for another, and is counted as an object until it is gone", async () => {
  await using world = await startLoopsWorld();
  await namespaceIn(world);
  await quotaIn(world, { hard: { pods: "1", "count/pods": "5" } });
  await post(world, "pods", pod("job"));
  expect((await post(world, "pods", pod("next"))).json.code).toBe(403);
  const body = { status: { phase: "Succeeded" } };
  const headers = { "content-type": "application/merge-patch+json" };
  await world.api.request("PATCH", "/api/v1/namespaces/shop/pods/job/status", { body, headers });
  await quotaUntil(world, ({ status }) => status?.used?.["pods"] === "0");
  expect((await post(world, "pods", pod("next"))).status).toBe(201);
  expect(await usedOf(world)).toEqual({ "count/pods": "2", pods: "1" });
});

test("nobody says that less is used than is there", async () => {
  await using world = await startLoopsWorld();
  await namespaceIn(world);
  await quotaIn(world, { hard: { secrets: "1" } });
  await post(world, "secrets", { metadata: { name: "a" } });
  const path = "/api/v1/namespaces/shop/resourcequotas/q/status";
  const body = { status: { used: { secrets: "0" } } };
  const headers = { "content-type": "application/merge-patch+json" };
  const patched = await world.api.request("PATCH", path, { body, headers });
  expect(patched.json.status.used).toEqual({ secrets: "1" });
  expect((await post(world, "secrets", { metadata: { name: "b" } })).json.code).toBe(403);
});

test("a quota on a custom kind counts as soon as the kind is there", async () => {
  await using world = await startLoopsWorld();
  await namespaceIn(world);
  const hard = { "count/widgets.example.com": "1", "count/secrets": "1" };
  await quotaIn(world, { hard });
  const schema = { openAPIV3Schema: { type: "object" } };
  const definition = await world.api.request(
    "POST",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    {
      body: {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: "widgets.example.com" },
        spec: {
          group: "example.com",
          scope: "Namespaced",
          names: { plural: "widgets", singular: "widget", kind: "Widget" },
          versions: [{ name: "v1", served: true, storage: true, schema }],
        },
      },
    },
  );
  expect(definition.status).toBe(201);
  await quotaUntil(world, ({ status }) => status?.used?.["count/widgets.example.com"] === "0");
  const widget = (name: string) =>
    world.api.request("POST", "/apis/example.com/v1/namespaces/shop/widgets", {
      body: { apiVersion: "example.com/v1", kind: "Widget", metadata: { name } },
    });
  expect((await widget("a")).status).toBe(201);
  expect((await widget("b")).json.message).toBe(
    'widgets.example.com "b" is forbidden: exceeded quota: q, requested: count/widgets.example.com=1, used: count/widgets.example.com=1, limited: count/widgets.example.com=1',
  );
});
