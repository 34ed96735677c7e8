import { expect, test } from "vitest";
import type { Pod, PodStatus } from "../../api/generated/core-v1.generated.ts";
import { planPodGc } from "./pod-gc.ts";

interface Sketch {
  readonly node?: string;
  readonly phase?: PodStatus["phase"];
  readonly deleting?: boolean;
  readonly created?: string;
}

function pod(name: string, sketch: Sketch): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      uid: name,
      resourceVersion: "1",
      creationTimestamp: sketch.created ?? "2026-01-01T00:00:00Z",
      ...(sketch.deleting === true ? { deletionTimestamp: "2026-01-02T00:00:00Z" } : {}),
    },
    spec: { containers: [], ...(sketch.node === undefined ? {} : { nodeName: sketch.node }) },
    status: { phase: sketch.phase ?? "Running" },
  };
}

test("only what nobody else would remove is removed", () => {
  const pods = [
    pod("served", { node: "here" }),
    pod("orphaned", { node: "gone" }),
    pod("waiting", { phase: "Pending" }),
    pod("never-placed", { phase: "Pending", deleting: true }),
    pod("ending", { node: "here", deleting: true }),
    pod("new", { node: "here", phase: "Succeeded", created: "2026-01-03T00:00:00Z" }),
    pod("old", { node: "here", phase: "Failed", created: "2026-01-01T00:00:00Z" }),
  ];
  const plan = planPodGc(pods, (name) => name === "gone", 1);
  const names = (some: readonly Pod[]) => some.map(({ metadata }) => metadata.name);
  expect([names(plan.orphaned), names(plan.unscheduled), names(plan.surplus)]).toEqual([
    ["orphaned"],
    ["never-placed"],
    ["old"],
  ]);
});
