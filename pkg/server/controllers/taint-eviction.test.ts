import { expect, test } from "vitest";
import { toleratedMs } from "./taint-eviction.ts";

const taint = (key: string) => ({ key, effect: "NoExecute" }) as const;
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
  ["for five minutes", [taint("a")], [tolerate("a", 300)], 300_000],
  [
    "the shortest counts",
    [taint("a"), taint("b")],
    [tolerate("a", 300), tolerate("b", 90)],
    90_000,
  ],
  ["one that is not tolerated beats all", [taint("a"), taint("b")], [tolerate("a")], 0],
  ["seconds below zero are none", [taint("a")], [tolerate("a", -5)], 0],
  ["only NoExecute evicts", [{ key: "a", effect: "NoSchedule" } as const], [], undefined],
] as const)("%s", (_, taints, tolerations, ms) => {
  expect(toleratedMs(taints, tolerations)).toBe(ms);
});
