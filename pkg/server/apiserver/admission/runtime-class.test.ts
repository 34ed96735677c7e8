import { expect, test } from "vitest";
import { ObjectWorld } from "../../../../test/support/object-world.ts";
import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import type { RuntimeClass } from "../../../api/generated/node-v1.generated.ts";
import { podResource } from "../../../api/resources/pod.ts";
import { runtimeClassResource } from "../../../api/resources/runtimeclass.ts";
import { passThrough } from "./admission-request.fixture.ts";
import { createRuntimeClassAdmission } from "./runtime-class.ts";

async function create(spec: object): Promise<Pod["spec"]> {
  const world = new ObjectWorld();
  world.put(runtimeClassResource, {
    metadata: { name: "vm", uid: "vm" },
    handler: "vm",
    overhead: { podFixed: { cpu: "250m" } },
    scheduling: {
      nodeSelector: { vm: "yes" },
      tolerations: [
        { key: "vm", operator: "Exists", effect: "NoSchedule" },
        { key: "brief", operator: "Equal", value: "a", effect: "NoExecute", tolerationSeconds: 5 },
      ],
    },
  } as unknown as RuntimeClass);
  world.put(runtimeClassResource, {
    metadata: { name: "plain" },
    handler: "p",
  } as unknown as RuntimeClass);
  const object = { metadata: { name: "web", namespace: "shop" }, spec };
  const plugin = createRuntimeClassAdmission(world);
  return ((await passThrough(plugin, { resource: podResource, object })).object as Pod).spec;
}

test("a pod gets the overhead of its runtime, and goes where the runtime is", async () => {
  const own = { key: "brief", operator: "Exists" };
  const narrow = { key: "vm", operator: "Equal", value: "x", effect: "NoSchedule" };
  expect(
    await create({
      runtimeClassName: "vm",
      nodeSelector: { disk: "ssd" },
      tolerations: [narrow, own],
    }),
  ).toEqual({
    runtimeClassName: "vm",
    overhead: { cpu: "250m" },
    nodeSelector: { disk: "ssd", vm: "yes" },
    tolerations: [own, { key: "vm", operator: "Exists", effect: "NoSchedule" }],
  });
  expect(await create({ runtimeClassName: "plain" })).toEqual({ runtimeClassName: "plain" });
});

test.each([
  [{ runtimeClassName: "none" }, 'pod rejected: RuntimeClass "none" not found'],
  [
    { runtimeClassName: "vm", overhead: { cpu: "1" } },
    "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
  ],
  [
    { overhead: { cpu: "1" } },
    "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
  ],
  [
    { runtimeClassName: "vm", nodeSelector: { vm: "no" } },
    "conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no",
  ],
])("a pod with %j is refused", async (spec, why) => {
  await expect(create(spec)).rejects.toThrow(`pods "web" is forbidden: ${why}`);
});
