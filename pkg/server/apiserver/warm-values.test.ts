import { expect, test } from "vitest";
import { WarmValues } from "./warm-values.ts";

function holder() {
  return {
    storedBytes: 488,
    isAskedFor: false,
    isWarm: true,
    cool() {
      if (this.isAskedFor) {
        this.isAskedFor = false;
        return false;
      }
      this.isWarm = false;
      return true;
    },
  };
}

test("the oldest that nobody asked for cool down first, and no more are warm than fit", () => {
  const warm = new WarmValues(3_000);
  const all = Array.from({ length: 5 }, holder);
  const [first, second] = all;
  for (const [index, one] of all.entries()) {
    warm.add(one);
    if (index === 1 && first !== undefined) first.isAskedFor = true;
  }
  expect(first?.isWarm).toBe(true);
  expect(second?.isWarm).toBe(false);
  expect(all.filter(({ isWarm }) => isWarm)).toHaveLength(3);
});

test("one that is larger than all that may be warm cools down at once, though it was asked for", () => {
  const large = { ...holder(), storedBytes: 5_000, isAskedFor: true };
  new WarmValues(3_000).add(large);
  expect(large.isWarm).toBe(false);
});
