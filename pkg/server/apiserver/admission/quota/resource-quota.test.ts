import { expect, test } from "vitest";
import { ManualClock } from "../../../../../test/support/manual-clock.ts";
import { ObjectWorld } from "../../../../../test/support/object-world.ts";
import type { Pod, ResourceQuota } from "../../../../api/generated/core-v1.generated.ts";
import { podResource } from "../../../../api/resources/pod.ts";
import { resourceQuotaResource } from "../../../../api/resources/resourcequota.ts";
import { listOf } from "../../../../api/shared/quota/amounts.ts";
import type { AdmissionRequest } from "../admission.ts";
import { admissionRequest } from "../admission-request.fixture.ts";
import type { LimitedResource } from "./configuration.ts";
import { createResourceQuota } from "./resource-quota.ts";

type Resource = AdmissionRequest["resource"];

/** Quotas in memory; `onWrite` comes between a look at a quota and its write. */
function setUp(limitedResources: readonly LimitedResource[] = []) {
  const world = new ObjectWorld();
  const hooks = { onWrite: () => {}, writes: 0 };
  const plugin = createResourceQuota({
    reader: world,
    clock: new ManualClock(),
    configuration: { limitedResources },
    storedResources: () => [podResource as unknown as Resource],
    writeQuotaUsed: async (quota, used) => {
      await Promise.resolve();
      hooks.onWrite();
      const current = world.get(resourceQuotaResource, "shop", quota.metadata.name);
      if (current !== quota) return false;
      hooks.writes += 1;
      put(quota.metadata.name, { ...quota.status, used: listOf(used) }, quota.spec);
      return true;
    },
  });
  const put = (name: string, status: object, spec: object = {}) =>
    world.put(resourceQuotaResource, {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name, namespace: "shop", uid: name, resourceVersion: "1", creationTimestamp: "" },
      spec,
      status,
    } as ResourceQuota);
  const used = (name: string) => world.get(resourceQuotaResource, "shop", name)?.status?.used;
  const create = (name: string, spec: object = {}) =>
    admissionRequest({
      resource: podResource,
      name,
      object: pod(name, spec),
    });
  return { world, plugin, put, used, create, hooks };
}

const pod = (name: string, spec: object = {}) =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "shop", uid: name },
    spec: { containers: [{ name: "c" }], ...spec },
  }) as unknown as Pod;

test("a count that has not seen what was just let in does not forget it", async () => {
  const { world, plugin, put, create } = setUp();
  put("q", { hard: { pods: "2" }, used: { pods: "0" } });
  const first = create("a");
  await plugin.validate?.(first);
  const count = async () => {
    const previous = world.get(resourceQuotaResource, "shop", "q");
    const object = { ...previous, status: { hard: { pods: "2" }, used: { pods: "0" } } };
    await plugin.admit?.(
      admissionRequest({
        operation: "UPDATE",
        resource: resourceQuotaResource,
        subresource: "status",
        name: "q",
        object,
        previous: previous as ResourceQuota,
      }),
    );
    return object.status.used.pods;
  };
  // Let in and not stored; stored and not settled; stored; on its way again, and come to nothing.
  expect(await count()).toBe("1");
  world.put(podResource, first.object as Pod);
  expect(await count()).toBe("1");
  await plugin.settle?.(first, true);
  expect(await count()).toBe("1");
  const second = create("b");
  await plugin.validate?.(second);
  expect(await count()).toBe("2");
  await plugin.settle?.(second, false);
  expect(await count()).toBe("1");
});

test("those who ask together share a write, and a quota that changes meanwhile is read again", async () => {
  const { plugin, put, used, create, hooks } = setUp();
  put("q", { hard: { pods: "3" }, used: { pods: "0" } });
  hooks.onWrite = () => {
    hooks.onWrite = () => {};
    put("q", { hard: { pods: "3" }, used: { pods: "1" } });
  };
  const asked = ["a", "b", "c", "d"].map((name) => create(name));
  const answers = await Promise.allSettled(asked.map((request) => plugin.validate?.(request)));
  expect(answers.map(({ status }) => status)).toEqual([
    "fulfilled",
    "fulfilled",
    "rejected",
    "rejected",
  ]);
  expect(used("q")).toEqual({ pods: "3" });
  expect(hooks.writes).toBe(2);
});

test("what one quota gave is given back when another, on a second look, has nothing left", async () => {
  const { plugin, put, used, create, hooks } = setUp();
  put("a", { hard: { pods: "5" }, used: { pods: "0" } });
  put("b", { hard: { "count/pods": "1" }, used: { "count/pods": "0" } });
  let writes = 0;
  hooks.onWrite = () => {
    writes += 1;
    if (writes === 2) put("b", { hard: { "count/pods": "1" }, used: { "count/pods": "1" } });
  };
  await expect(plugin.validate?.(create("x"))).rejects.toThrow(
    'pods "x" is forbidden: exceeded quota: b, requested: count/pods=1, used: count/pods=1, limited: count/pods=1',
  );
  const last = create("y");
  await Promise.allSettled([plugin.validate?.(last)]);
  expect(used("a")).toEqual({ pods: "0" });
});

test("a quota that nobody has counted yet lets nothing in", async () => {
  const { plugin, put, create } = setUp();
  put("q", { hard: { pods: "3", "requests.cpu": "1" } });
  await expect(
    plugin.validate?.(create("a", { resources: { requests: { cpu: "1" } } })),
  ).rejects.toThrow(
    'pods "a" is forbidden: status unknown for quota: q, resources: pods,requests.cpu',
  );
});

test.each([
  ["Terminating", { activeDeadlineSeconds: 5 }, {}],
  ["NotTerminating", {}, { activeDeadlineSeconds: 5 }],
  ["BestEffort", {}, { containers: [{ name: "c", resources: { requests: { cpu: "1" } } }] }],
  ["NotBestEffort", { containers: [{ name: "c", resources: { limits: { cpu: "1" } } }] }, {}],
  ["PriorityClass", { priorityClassName: "high" }, {}],
  [
    "CrossNamespacePodAffinity",
    {
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { podAffinityTerm: { namespaceSelector: {} } },
          ],
        },
      },
    },
    { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{}] } } },
  ],
])("scope %s counts those that are in it, and no others", async (scope, inside, outside) => {
  const { plugin, put, create } = setUp();
  put("q", { hard: { pods: "0" }, used: { pods: "0" } }, { scopes: [scope] });
  await expect(plugin.validate?.(create("in", inside))).rejects.toThrow("exceeded quota: q");
  await plugin.validate?.(create("out", outside));
});

test.each([
  ["In", ["high"], true, false, false],
  ["NotIn", ["high"], false, true, true],
  ["Exists", [], true, true, false],
  ["DoesNotExist", [], false, false, true],
])(
  "a scope selector may name priority classes: %s %j",
  async (operator, values, high, low, none) => {
    const { plugin, put, create } = setUp();
    const matchExpressions = [{ scopeName: "PriorityClass", operator, values }];
    put("q", { hard: { pods: "0" }, used: { pods: "0" } }, { scopeSelector: { matchExpressions } });
    const isHeld = async (spec: object) =>
      await Promise.resolve(plugin.validate?.(create("x", spec))).then(
        () => false,
        () => true,
      );
    expect(await isHeld({ priorityClassName: "high" })).toBe(high);
    expect(await isHeld({ priorityClassName: "low" })).toBe(low);
    expect(await isHeld({})).toBe(none);
  },
);

test("where the disk takes nothing, who asked is told so, and the next is asked anew", async () => {
  const { plugin, put, used, create, hooks } = setUp();
  put("q", { hard: { pods: "3" }, used: { pods: "0" } });
  hooks.onWrite = () => {
    hooks.onWrite = () => {};
    throw new Error("the disk is full");
  };
  await expect(plugin.validate?.(create("a"))).rejects.toThrow("the disk is full");
  await plugin.validate?.(create("b"));
  expect(used("q")).toEqual({ pods: "1" });
});

test("what is limited by default needs a quota that covers it", async () => {
  const limits = (fields: Partial<LimitedResource>): LimitedResource => ({
    apiGroup: "",
    resource: "pods",
    matchContains: [],
    matchScopes: [],
    ...fields,
  });
  const high = { scopeName: "PriorityClass", operator: "In", values: ["high", "higher"] } as const;
  const { plugin, put, create } = setUp([
    limits({ matchScopes: [high] }),
    limits({ matchContains: ["requests.cpu"] }),
    limits({ resource: "services", matchContains: ["pods"] }),
  ]);
  const important = { priorityClassName: "high" };
  const busy = { containers: [{ name: "c", resources: { requests: { cpu: "1" } } }] };
  await plugin.validate?.(create("plain"));
  await expect(plugin.validate?.(create("a", important))).rejects.toThrow(
    'pods "a" is forbidden: insufficient quota to match these scopes: [{PriorityClass In [high higher]}]',
  );
  await expect(plugin.validate?.(create("b", busy))).rejects.toThrow(
    'pods "b" is forbidden: insufficient quota to consume: requests.cpu',
  );
  put(
    "scoped",
    { hard: { pods: "5" }, used: { pods: "0" } },
    { scopeSelector: { matchExpressions: [high] } },
  );
  put("cpu", { hard: { "requests.cpu": "5" }, used: { "requests.cpu": "0" } });
  await plugin.validate?.(create("a", { ...important, ...busy }));
  await plugin.validate?.(create("b", busy));
});
