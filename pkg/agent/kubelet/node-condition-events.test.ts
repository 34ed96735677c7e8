import { expect, test } from "vitest";
import type { NodeCondition } from "../../api/generated/core-v1.generated.ts";
import { nodeConditionEvents } from "./node-condition-events.ts";

const conditions = (statuses: Readonly<Record<string, string>>): readonly NodeCondition[] =>
  Object.entries(statuses).map(([type, status]) => ({ type, status }));

test("a new node tells of each of its conditions", () => {
  const healthy = { MemoryPressure: "False", DiskPressure: "False", PIDPressure: "False" };
  expect(nodeConditionEvents([], conditions({ ...healthy, Ready: "True" }))).toEqual([
    "NodeHasSufficientMemory",
    "NodeHasNoDiskPressure",
    "NodeHasSufficientPID",
    "NodeReady",
  ]);
});

test("only what changes is told", () => {
  const before = conditions({ MemoryPressure: "False", DiskPressure: "False", Ready: "True" });
  const now = conditions({ MemoryPressure: "False", DiskPressure: "True", Ready: "False" });
  expect(nodeConditionEvents(before, now)).toEqual(["NodeHasDiskPressure", "NodeNotReady"]);
  expect(nodeConditionEvents(now, now)).toEqual([]);
});

test("a node that was given up tells that it is back", () => {
  const lost = conditions({ MemoryPressure: "Unknown", Ready: "Unknown" });
  const back = conditions({ MemoryPressure: "False", Ready: "True" });
  expect(nodeConditionEvents(lost, back)).toEqual(["NodeHasSufficientMemory", "NodeReady"]);
});

test("what others say of a node is theirs to tell", () => {
  expect(nodeConditionEvents([], conditions({ "example.com/ok": "True" }))).toEqual([]);
});
