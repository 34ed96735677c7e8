import { expect, test } from "vitest";
import { evictionDueMs } from "./taint-eviction.ts";

const nowMs = Date.parse("2026-03-01T12:00:00Z");
const taint = (key: string) =>
  ({ key, effect: "NoExecute", timeAdded: "2026-03-01T11:59:00Z" }) as const;
const tolerate = (key: string, tolerationSeconds?: number) =>
  ({
    key,
    operator: "Exists",
    ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
  }) as const;

test.each([
  ["no taint: never", [], [], undefined],
  ["not tolerated: at once", [taint("a")], [tolerate("b")], 0],
  ["tolerated for good: never", [taint("a")], [tolerate("a")], undefined],
  ["for five minutes, one of which is over", [taint("a")], [tolerate("a", 300)], 240_000],
  [
    "the shortest counts",
    [taint("a"), taint("b")],
    [tolerate("a", 300), tolerate("b", 90)],
    30_000,
  ],
  ["one that is not tolerated beats all", [taint("a"), taint("b")], [tolerate("a")], 0],
  ["seconds below zero are none", [taint("a")], [tolerate("a", -5)], -60_000],
  ["only NoExecute evicts", [{ key: "a", effect: "NoSchedule" } as const], [], undefined],
] as const)("%s", (_, taints, tolerations, inMs) => {
  const due = evictionDueMs(taints, tolerations, nowMs);
  expect(due === undefined ? undefined : due - nowMs).toBe(inMs);
});
