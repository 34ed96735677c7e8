import { expect, test } from "vitest";
import { RecentWeakMap } from "./recent-weak-map.ts";

test("what is asked for again and again is remembered; of the others, only the latest are", () => {
  const map = new RecentWeakMap<object, number>(2);
  const keys = Array.from({ length: 10 }, () => ({}));
  const [first] = keys;
  for (const [index, key] of keys.entries()) {
    map.set(key, index);
    if (first !== undefined) expect(map.get(first)).toBe(0);
  }
  const known = keys.filter((key) => map.get(key) !== undefined);
  expect(known).toContain(first);
  expect(known).toContain(keys.at(-1));
  expect(known.length).toBeLessThanOrEqual(4);
});
