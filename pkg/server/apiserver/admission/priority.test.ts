import { expect, test } from "vitest";
import { ObjectWorld } from "../../../../test/support/object-world.ts";
import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import type { PriorityClass } from "../../../api/generated/scheduling-v1.generated.ts";
import { podResource } from "../../../api/resources/pod.ts";
import { priorityClassResource } from "../../../api/resources/priorityclass.ts";
import { passThrough } from "./admission-request.fixture.ts";
import { createPriority } from "./priority.ts";

const priorityClass = (name: string, value: number, fields: object = {}) =>
  ({
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: "" },
    value,
    ...fields,
  }) as PriorityClass;

function setUp(...classes: readonly PriorityClass[]) {
  const world = new ObjectWorld();
  for (const each of classes) world.put(priorityClassResource, each);
  const plugin = createPriority(world);
  const create = async (spec: object) => {
    const object = { metadata: { name: "web", namespace: "shop" }, spec };
    return ((await passThrough(plugin, { resource: podResource, object })).object as Pod).spec;
  };
  return { plugin, create };
}

test.each([
  [
    "the class it names",
    { priorityClassName: "high" },
    { priorityClassName: "high", priority: 1000, preemptionPolicy: "Never" },
  ],
  [
    "the system's classes, made or not",
    { priorityClassName: "system-cluster-critical" },
    {
      priorityClassName: "system-cluster-critical",
      priority: 2_000_000_000,
      preemptionPolicy: "PreemptLowerPriority",
    },
  ],
  [
    "the lowest of those that are everybody's",
    {},
    { priorityClassName: "low", priority: -5, preemptionPolicy: "PreemptLowerPriority" },
  ],
  [
    "what it says itself, where that is so",
    { priorityClassName: "high", priority: 1000 },
    { priorityClassName: "high", priority: 1000, preemptionPolicy: "Never" },
  ],
])("a pod has the priority of %s", async (_what, spec, expected) => {
  const { create } = setUp(
    priorityClass("high", 1000, { preemptionPolicy: "Never" }),
    priorityClass("usual", 5, { globalDefault: true }),
    priorityClass("low", -5, { globalDefault: true }),
  );
  expect(await create(spec)).toEqual(expected);
});

test("without any class, a pod has none", async () => {
  expect(await setUp().create({})).toEqual({
    priority: 0,
    preemptionPolicy: "PreemptLowerPriority",
  });
});

test.each([
  [{ priorityClassName: "none" }, "no PriorityClass with name none was found"],
  [
    { priority: 7 },
    "the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name",
  ],
  [
    { priorityClassName: "high", preemptionPolicy: "PreemptLowerPriority" },
    "the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; priority admission controller computed Never from the given PriorityClass name",
  ],
])("a pod with %j is refused", async (spec, why) => {
  const { create } = setUp(priorityClass("high", 1000, { preemptionPolicy: "Never" }));
  await expect(create(spec)).rejects.toThrow(`pods "web" is forbidden: ${why}`);
});

test("an update that leaves the numbers out keeps them", async () => {
  const { plugin } = setUp();
  const previous = { metadata: {}, spec: { priority: 3, preemptionPolicy: "Never" } } as Pod;
  const object = { metadata: {}, spec: {} };
  await passThrough(plugin, { operation: "UPDATE", resource: podResource, object, previous });
  expect(object.spec).toEqual(previous.spec);
});

test("only one class is everybody's", async () => {
  const { plugin } = setUp(priorityClass("usual", 5, { globalDefault: true }));
  const write = (operation: "CREATE" | "UPDATE", object: PriorityClass) =>
    passThrough(plugin, {
      operation,
      resource: priorityClassResource,
      namespace: undefined,
      object,
    });
  await write("UPDATE", priorityClass("usual", 5, { globalDefault: true }));
  await write("CREATE", priorityClass("other", 5));
  const other = priorityClass("other", 5, { globalDefault: true });
  for (const operation of ["CREATE", "UPDATE"] as const) {
    await expect(write(operation, other)).rejects.toThrow(
      'priorityclasses.scheduling.k8s.io "other" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
    );
  }
});
