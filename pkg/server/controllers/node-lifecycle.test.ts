import { describe, expect, test } from "vitest";
import type { Node, NodeSpec } from "../../api/generated/core-v1.generated.ts";
import { planTaints, planUnknown } from "./node-lifecycle.ts";

const nowMs = Date.parse("2026-03-01T12:00:00Z");
const now = "2026-03-01T12:00:00Z";

function node(conditions: Record<string, string>, spec: NodeSpec = {}): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: "a",
      uid: "a",
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec,
    status: {
      conditions: Object.entries(conditions).map(([type, status]) => ({ type, status })),
    } as unknown as Node["status"],
  };
}

const taint = (key: string, effect: "NoSchedule" | "NoExecute") => ({
  key: `node.kubernetes.io/${key}`,
  effect,
  timeAdded: now,
});

describe("taints", () => {
  const cases = [
    ["a ready node has none", node({ Ready: "True" }), true, []],
    [
      "a node that is not ready",
      node({ Ready: "False" }),
      true,
      [taint("not-ready", "NoSchedule"), taint("not-ready", "NoExecute")],
    ],
    [
      "a node that is not heard of",
      node({ Ready: "Unknown" }),
      true,
      [taint("unreachable", "NoSchedule"), taint("unreachable", "NoExecute")],
    ],
    [
      "evict nobody while no node at all is ready",
      node({ Ready: "Unknown" }),
      false,
      [taint("unreachable", "NoSchedule")],
    ],
    [
      "a node short of memory",
      node({ Ready: "True", MemoryPressure: "True" }),
      true,
      [taint("memory-pressure", "NoSchedule")],
    ],
    [
      "a cordoned node",
      node({ Ready: "True" }, { unschedulable: true }),
      true,
      [taint("unschedulable", "NoSchedule")],
    ],
    [
      "ours go when their reason does, others' stay",
      node(
        { Ready: "True" },
        { taints: [taint("not-ready", "NoSchedule"), { key: "gpu", effect: "NoSchedule" }] },
      ),
      true,
      [{ key: "gpu", effect: "NoSchedule" }],
    ],
    [
      "keep the time at which they were added",
      node(
        { Ready: "False" },
        { taints: [{ ...taint("not-ready", "NoExecute"), timeAdded: "2026-02-01T00:00:00Z" }] },
      ),
      true,
      [
        { ...taint("not-ready", "NoExecute"), timeAdded: "2026-02-01T00:00:00Z" },
        taint("not-ready", "NoSchedule"),
      ],
    ],
  ] as const;
  test.each(cases)("%s", (_, subject, mayEvict, taints) => {
    expect(planTaints(subject, mayEvict, nowMs)).toEqual(taints);
  });
});

test("of a silent node nothing is known, and what never was known is told apart", () => {
  const planned = planUnknown(node({ Ready: "True", NetworkUnavailable: "False" }), nowMs);
  expect(planned.map(({ type, status, reason }) => [type, status, reason])).toEqual([
    ["Ready", "Unknown", "NodeStatusUnknown"],
    ["NetworkUnavailable", "False", undefined],
    ["MemoryPressure", "Unknown", "NodeStatusNeverUpdated"],
    ["DiskPressure", "Unknown", "NodeStatusNeverUpdated"],
    ["PIDPressure", "Unknown", "NodeStatusNeverUpdated"],
  ]);
  const silent = { ...node({}), status: { ...node({}).status, conditions: planned } };
  expect(planUnknown(silent, nowMs + 5_000)).toEqual(planned);
});
