import { expect, test } from "vitest";
import { ObjectWorld } from "../../../../test/support/object-world.ts";
import type { LimitRange, Pod } from "../../../api/generated/core-v1.generated.ts";
import { limitRangeResource } from "../../../api/resources/limitrange.ts";
import { podResource } from "../../../api/resources/pod.ts";
import { type AskedWrite, passThrough } from "./admission-request.fixture.ts";
import { createLimitRanger } from "./limit-ranger.ts";

function setUp(...limits: readonly object[]) {
  const world = new ObjectWorld();
  world.put(limitRangeResource, {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: {
      name: "l",
      namespace: "shop",
      uid: "l",
      resourceVersion: "1",
      creationTimestamp: "",
    },
    spec: { limits },
  } as unknown as LimitRange);
  const plugin = createLimitRanger(world);
  return (asked: AskedWrite) => passThrough(plugin, asked);
}

const container = (requests?: object, limits?: object, name = "c") => ({
  name,
  ...(requests === undefined && limits === undefined ? {} : { resources: { requests, limits } }),
});
const pod = (spec: object) => ({ metadata: { name: "web", namespace: "shop" }, spec });
/** Only of a claim's kind is anything looked at. */
const claims = {
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
};

test("what containers leave out they get, and the pod tells of it", async () => {
  const run = setUp(
    { type: "Container", default: { cpu: "200m", memory: "1Gi" }, defaultRequest: { cpu: "100m" } },
    { type: "Pod", default: { cpu: "9" } },
  );
  const object = pod({
    containers: [container(), container({ cpu: "50m" }, { memory: "2Gi" }, "d")],
    initContainers: [container({ cpu: "1" }, { cpu: "1", memory: "1" }, "i")],
  });
  const written = (await run({ resource: podResource, object })).object as Pod;
  expect(written.metadata.annotations).toEqual({
    "kubernetes.io/limit-ranger":
      "LimitRanger plugin set: cpu request for container c; cpu, memory limit for container c; cpu limit for container d",
  });
  expect(written.spec?.containers.map(({ resources }) => resources)).toEqual([
    { requests: { cpu: "100m" }, limits: { cpu: "200m", memory: "1Gi" } },
    { requests: { cpu: "50m" }, limits: { cpu: "200m", memory: "2Gi" } },
  ]);
});

test.each([
  [
    { min: { cpu: "100m" } },
    container({ cpu: "50m" }),
    "minimum cpu usage per Container is 100m, but request is 50m",
  ],
  [
    { min: { cpu: "100m" } },
    container(),
    "minimum cpu usage per Container is 100m.  No request is specified",
  ],
  [
    { min: { cpu: "100m" } },
    container({ cpu: "1" }, { cpu: "50m" }),
    "minimum cpu usage per Container is 100m, but limit is 50m",
  ],
  [
    { max: { memory: "1Gi" } },
    container({}, { memory: "2Gi" }),
    "maximum memory usage per Container is 1Gi, but limit is 2Gi",
  ],
  [
    { max: { memory: "1Gi" } },
    container({ memory: "1Gi" }),
    "maximum memory usage per Container is 1Gi.  No limit is specified",
  ],
  [
    { max: { memory: "1Gi" } },
    container({ memory: "3Gi" }, { memory: "1Gi" }),
    "maximum memory usage per Container is 1Gi, but request is 3Gi",
  ],
  [
    { maxLimitRequestRatio: { cpu: "2" } },
    container({ cpu: "100m" }, { cpu: "250m" }),
    "cpu max limit to request ratio per Container is 2, but provided ratio is 2.500000",
  ],
  [
    { maxLimitRequestRatio: { cpu: "2" } },
    container({}, { cpu: "1" }),
    "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
  ],
  [
    { maxLimitRequestRatio: { cpu: "2" } },
    container({ cpu: "1" }),
    "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0",
  ],
  [
    { min: { cpu: "1" }, max: { cpu: "2" } },
    container(),
    "[minimum cpu usage per Container is 1.  No request is specified, maximum cpu usage per Container is 2.  No limit is specified]",
  ],
])("a container outside of %j is refused", async (bounds, bad, why) => {
  const run = setUp({ type: "Container", ...bounds });
  const create = (spec: object) => run({ resource: podResource, object: pod(spec) });
  const message = `pods "web" is forbidden: ${why}`;
  await expect(create({ containers: [bad] })).rejects.toThrow(message);
  await expect(create({ containers: [], initContainers: [bad] })).rejects.toThrow(message);
  await expect(create({ containers: [] })).resolves.toBeDefined();
});

test("a pod is held as a whole: containers together, a start at its dearest, what it says itself first", async () => {
  const run = setUp({ type: "Pod", max: { cpu: "1" } });
  const create = (spec: object) => run({ resource: podResource, object: pod(spec) });
  const half = container({ cpu: "500m" }, { cpu: "500m" });
  await create({ containers: [half, half], initContainers: [half] });
  await expect(create({ containers: [half, half, half] })).rejects.toThrow(
    'pods "web" is forbidden: maximum cpu usage per Pod is 1, but limit is 1500m',
  );
  const sidecar = { ...half, restartPolicy: "Always" };
  await expect(create({ containers: [half, half], initContainers: [sidecar] })).rejects.toThrow(
    "but limit is 1500m",
  );
  const resources = { limits: { cpu: "1" }, requests: { cpu: "1" } };
  await create({ containers: [half, half, half], resources });
});

test("a claim is held by what it asks for", async () => {
  const run = setUp({
    type: "PersistentVolumeClaim",
    min: { storage: "1Gi" },
    max: { storage: "2Gi" },
  });
  const claim = (storage: string) => ({
    metadata: { name: "data" },
    spec: { resources: { requests: { storage } } },
  });
  await run({ resource: claims, object: claim("2Gi") });
  for (const [storage, why] of [
    ["500Mi", "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi"],
    ["3Gi", "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi"],
  ] as const) {
    const message = `persistentvolumeclaims "data" is forbidden: ${why}`;
    await expect(run({ resource: claims, object: claim(storage) })).rejects.toThrow(message);
    const update = {
      operation: "UPDATE",
      previous: claim("1Gi"),
    } as unknown as Partial<AskedWrite>;
    await expect(run({ ...update, resource: claims, object: claim(storage) })).rejects.toThrow(
      message,
    );
  }
});

test("of an update of a pod, only a resize is looked at, and what ends is let be", async () => {
  const run = setUp({ type: "Container", max: { cpu: "1" } });
  const object = pod({ containers: [container({}, { cpu: "2" })] });
  const previous = { ...pod({}), apiVersion: "v1", kind: "Pod" } as unknown as Pod;
  const update = { operation: "UPDATE", resource: podResource, object, previous } as const;
  await run(update);
  await expect(run({ ...update, subresource: "resize" })).rejects.toThrow("but limit is 2");
  const ending = { ...previous, metadata: { ...previous.metadata, deletionTimestamp: "now" } };
  await run({ ...update, subresource: "resize", previous: ending });
});

test("a LimitRange without limits limits nothing", async () => {
  const world = new ObjectWorld();
  const metadata = { name: "l", namespace: "shop" };
  world.put(limitRangeResource, { metadata, spec: {} } as unknown as LimitRange);
  const plugin = createLimitRanger(world);
  await passThrough(plugin, { resource: podResource, object: pod({ containers: [container()] }) });
  await passThrough(plugin, { resource: claims, object: { metadata, spec: {} } });
});
