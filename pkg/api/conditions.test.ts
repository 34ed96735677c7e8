import { describe, expect, test } from "vitest";
import { isConditionTrue, withCondition, withoutCondition } from "./conditions.ts";

const ready = (status: string, lastTransitionTime: string, reason = "A") => ({
  type: "Ready",
  status,
  reason,
  lastTransitionTime,
});
const other = { type: "Other", status: "True", reason: "B", lastTransitionTime: "1" };

describe("a condition is put in its place", () => {
  test("and comes last when it is new", () => {
    expect(withCondition([other], ready("True", "2"))).toEqual([other, ready("True", "2")]);
    expect(withCondition(undefined, ready("True", "2"))).toEqual([ready("True", "2")]);
  });

  test("and keeps its time while its status is the same", () => {
    expect(withCondition([ready("True", "1"), other], ready("True", "2", "C"))).toEqual([
      ready("True", "1", "C"),
      other,
    ]);
  });

  test("and takes the new time with a new status", () => {
    expect(withCondition([ready("True", "1")], ready("False", "2"))).toEqual([ready("False", "2")]);
  });

  test("and nothing is new when nothing changed", () => {
    const before = [ready("True", "1"), other];
    expect(withCondition(before, ready("True", "2"))).toBe(before);
    expect(withoutCondition(before, "Third")).toBe(before);
  });
});

test("a condition that is not there is not true", () => {
  expect(isConditionTrue(undefined, "Ready")).toBe(false);
  expect(isConditionTrue([ready("Unknown", "1")], "Ready")).toBe(false);
  expect(isConditionTrue([ready("True", "1")], "Ready")).toBe(true);
  expect(withoutCondition([ready("True", "1"), other], "Ready")).toEqual([other]);
});
