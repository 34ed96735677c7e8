import { expect, test } from "vitest";
import { ObjectWorld } from "../../../../test/support/object-world.ts";
import type { Node } from "../../../api/generated/core-v1.generated.ts";
import { nodeResource } from "../../../api/resources/node.ts";
import { podResource } from "../../../api/resources/pod.ts";
import { passThrough } from "./admission-request.fixture.ts";
import { createPodTopologyLabels } from "./pod-topology-labels.ts";

const zone = "topology.kubernetes.io/zone";
const region = "topology.kubernetes.io/region";

test.each([
  [
    "",
    { metadata: { labels: { [zone]: "own" } }, spec: { nodeName: "n1" } },
    { [zone]: "own", [region]: "north" },
  ],
  ["", { metadata: {}, spec: {} }, undefined],
  ["", { metadata: {}, spec: { nodeName: "none" } }, undefined],
  [
    "binding",
    { metadata: {}, target: { kind: "Node", name: "n1" } },
    { [zone]: "a", [region]: "north" },
  ],
  ["binding", { metadata: {}, target: { kind: "Rack", name: "n1" } }, undefined],
])(
  "pods/%s %j is labelled %j",
  async (subresource, object: { metadata: { labels?: object } }, labels) => {
    const world = new ObjectWorld();
    world.put(nodeResource, {
      metadata: {
        name: "n1",
        labels: { [zone]: "a", [region]: "north", "kubernetes.io/hostname": "n1" },
      },
    } as unknown as Node);
    await passThrough(createPodTopologyLabels(world), {
      resource: podResource,
      subresource,
      object,
    });
    expect(object.metadata.labels).toEqual(labels);
  },
);
