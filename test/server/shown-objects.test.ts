import { describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../pkg/api/object.ts";
import type { ResourceDefinition } from "../../pkg/api/resource.ts";
import { apiServiceResource } from "../../pkg/api/resources/apiservice.ts";
import { configMapResource } from "../../pkg/api/resources/configmap.ts";
import { ipAddressResource } from "../../pkg/api/resources/ipaddress.ts";
import { serviceCIDRResource } from "../../pkg/api/resources/servicecidr.ts";
import { systemClock } from "../../pkg/base/clock.ts";
import { silentLogger } from "../../pkg/base/log.ts";
import { createObjectFeed } from "../../pkg/server/apiserver/authz/object-feed.ts";
import { createApiServiceRegistration } from "../../pkg/server/bootstrap/api-services.ts";
import { createServiceAddressKeeper } from "../../pkg/server/bootstrap/service-addresses.ts";
import { running } from "../support/running.ts";
import { type ApiWorld, startApiWorld } from "./api-world.ts";

/** The objects of a kind as soon as they are as wanted. */
async function until<T extends KubernetesObject>(
  world: ApiWorld,
  resource: ResourceDefinition<T>,
  isWanted: (objects: readonly T[]) => boolean,
): Promise<readonly T[]> {
  const { promise, resolve } = Promise.withResolvers<readonly T[]>();
  const objects = new Map<string, T>();
  const stop = createObjectFeed(world.hub).subscribe(resource, (current, previous) => {
    const { name = "" } = (current ?? previous)?.metadata ?? {};
    if (current === undefined) objects.delete(name);
    else objects.set(name, current);
    queueMicrotask(() => {
      if (isWanted([...objects.values()])) resolve([...objects.values()]);
    });
  });
  // Nothing at all may be what is wanted.
  if (isWanted([...objects.values()])) resolve([...objects.values()]);
  try {
    return await promise;
  } finally {
    stop();
  }
}

const names = (objects: readonly KubernetesObject[]) =>
  objects.map(({ metadata }) => metadata.name).sort();

describe("the addresses of Services", () => {
  const networking = "/apis/networking.k8s.io/v1";
  const keeping = (world: ApiWorld) =>
    running(
      createServiceAddressKeeper({
        client: world.client,
        feed: createObjectFeed(world.hub),
        serviceCidr: "10.43.0.0/16",
        clock: systemClock,
        log: silentLogger,
      }),
    );
  const post = (world: ApiWorld, name: string, spec: object = {}) =>
    world.request("POST", "/api/v1/namespaces/default/services", {
      body: { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } },
    });
  const postAddress = (world: ApiWorld, name: string, parent: object) =>
    world.request("POST", `${networking}/ipaddresses`, {
      body: { metadata: { name }, spec: { parentRef: parent } },
    });
  const service = { resource: "services", namespace: "default", name: "a" };

  test("are shown as IPAddresses, which come and go with them", async () => {
    await using world = await startApiWorld();
    await using _keeper = keeping(world);
    const { json } = await post(world, "a");
    const address = json.spec.clusterIP;
    const [shown] = await until(world, ipAddressResource, (all) => all.length === 1);
    expect(shown).toMatchObject({
      metadata: {
        name: address,
        labels: {
          "ipaddress.kubernetes.io/ip-family": "IPv4",
          "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
        },
      },
      spec: { parentRef: service },
    });
    await world.request("DELETE", `${networking}/ipaddresses/${address}`);
    await until(world, ipAddressResource, ([again]) => {
      return again !== undefined && again.metadata.uid !== shown?.metadata.uid;
    });
    await world.request("DELETE", "/api/v1/namespaces/default/services/a");
    await until(world, ipAddressResource, (all) => all.length === 0);
  });

  test("are shown after a start, and what was left over is gone", async () => {
    await using world = await startApiWorld();
    await post(world, "a", { clusterIP: "10.43.0.20" });
    const labels = { "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" };
    await world.request("POST", `${networking}/ipaddresses`, {
      body: { metadata: { name: "10.43.0.21", labels }, spec: { parentRef: service } },
    });
    await using _keeper = keeping(world);
    await until(world, ipAddressResource, (all) => names(all).join() === "10.43.0.20");
  });

  test("are nobody else's, and those of others are no Service's", async () => {
    await using world = await startApiWorld();
    await post(world, "a", { clusterIP: "10.43.0.20" });
    const gateway = { group: "gateway.networking.k8s.io", resource: "gateways", name: "g" };
    expect(await postAddress(world, "10.43.0.20", gateway)).toMatchObject({
      status: 409,
      json: {
        reason: "AlreadyExists",
        message: 'ipaddresses.networking.k8s.io "10.43.0.20" already exists',
      },
    });
    expect(await postAddress(world, "10.43.0.30", gateway)).toMatchObject({ status: 201 });
    expect(await post(world, "b", { clusterIP: "10.43.0.30" })).toMatchObject({
      status: 422,
      json: {
        message:
          'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.43.0.30"]: failed to allocate IP 10.43.0.30: provided IP is already allocated',
      },
    });
    await world.request("DELETE", `${networking}/ipaddresses/10.43.0.30`);
    expect(await post(world, "b", { clusterIP: "10.43.0.30" })).toMatchObject({ status: 201 });
  });

  test("of a hundred racing for one, one Service has it", async () => {
    await using world = await startApiWorld();
    await using _keeper = keeping(world);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        index % 2 === 0
          ? post(world, `s${index}`, { clusterIP: "10.43.0.40" })
          : postAddress(world, "10.43.0.40", { ...service, name: `s${index}` }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  });

  test("lie in the ServiceCIDR kubernetes, which is ready", async () => {
    await using world = await startApiWorld();
    await using _keeper = keeping(world);
    const isReady = ([block]: readonly { readonly status: { readonly conditions?: unknown } }[]) =>
      block?.status.conditions !== undefined;
    const [block] = await until(world, serviceCIDRResource, isReady);
    expect(block).toMatchObject({
      metadata: { name: "kubernetes" },
      spec: { cidrs: ["10.43.0.0/16"] },
      status: {
        conditions: [
          {
            type: "Ready",
            status: "True",
            reason: "",
            message: "Kubernetes default Service CIDR is ready",
          },
        ],
      },
    });
    expect(block?.metadata.generation).toBeUndefined();
    await world.request("DELETE", `${networking}/servicecidrs/kubernetes`);
    await until(world, serviceCIDRResource, isReady);
  });
});

describe("APIServices", () => {
  const keeping = (world: ApiWorld) =>
    running(
      createApiServiceRegistration({
        client: world.client,
        feed: createObjectFeed(world.hub),
        kinds: world.resources,
        clock: systemClock,
        log: silentLogger,
      }),
    );

  test("say what is served, custom groups included", async () => {
    await using world = await startApiWorld();
    await using _keeper = keeping(world);
    const served = new Set(world.resources.all.map(({ group, version }) => `${version}.${group}`));
    served.delete("v1.apiregistration.k8s.io");
    const all = await until(world, apiServiceResource, (some) => some.length === served.size);
    expect(names(all)).toEqual([...served].sort());
    expect(all.find(({ metadata }) => metadata.name === "v1.apps")).toMatchObject({
      metadata: { labels: { "kube-aggregator.kubernetes.io/automanaged": "onstart" } },
      spec: { group: "apps", version: "v1", groupPriorityMinimum: 17800, versionPriority: 15 },
      status: { conditions: [{ type: "Available", status: "True", reason: "Local" }] },
    });

    const custom = { ...configMapResource, group: "shop.example", version: "v1beta1" };
    world.resources.replaceCustom("shop", [custom as unknown as ResourceDefinition]);
    const withCustom = await until(world, apiServiceResource, (some) =>
      some.some(({ metadata }) => metadata.name === "v1beta1.shop.example"),
    );
    expect(withCustom.find(({ spec }) => spec.group === "shop.example")).toMatchObject({
      metadata: { labels: { "kube-aggregator.kubernetes.io/automanaged": "true" } },
      spec: { groupPriorityMinimum: 1000, versionPriority: 100 },
    });
    world.resources.replaceCustom("shop", []);
    await until(world, apiServiceResource, (some) => some.length === served.size);
  });

  test("that others made are left alone, and those that were deleted come again", async () => {
    await using world = await startApiWorld();
    const path = "/apis/apiregistration.k8s.io/v1/apiservices";
    const spec = { group: "b", version: "v1", groupPriorityMinimum: 1, versionPriority: 1 };
    await world.request("POST", path, { body: { metadata: { name: "v1.b" }, spec } });
    await using _keeper = keeping(world);
    const has = (name: string) => (some: readonly KubernetesObject[]) => names(some).includes(name);
    const [first] = (await until(world, apiServiceResource, has("v1.apps"))).filter(
      ({ metadata }) => metadata.name === "v1.apps",
    );
    await world.request("DELETE", `${path}/v1.apps`);
    const again = await until(world, apiServiceResource, (some) =>
      some.some(
        ({ metadata }) => metadata.name === "v1.apps" && metadata.uid !== first?.metadata.uid,
      ),
    );
    expect(names(again)).toContain("v1.b");
  });
});
