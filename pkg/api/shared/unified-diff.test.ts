import { expect, test } from "vitest";
import { unifiedDiff } from "./unified-diff.ts";

const lines = (text: string) => text.split(" ").join("\n");

test.each<[string, string, string]>([
  ["a b", "a b", ""],
  ["a", "b", "@@ -1 +1 @@\n-a\n+b\n"],
  ["a b c", "a c", "@@ -1,3 +1,2 @@\n a\n-b\n c\n"],
  ["a c", "a b c", "@@ -1,2 +1,3 @@\n a\n+b\n c\n"],
  ["1 2 3 4 5 a", "1 2 3 4 5 b", "@@ -3,4 +3,4 @@\n 3\n 4\n 5\n-a\n+b\n"],
  ["a 1 2 3 4 5", "b 1 2 3 4 5", "@@ -1,4 +1,4 @@\n-a\n+b\n 1\n 2\n 3\n"],
  [
    "a 1 2 3 4 5 6 7 8 b",
    "A 1 2 3 4 5 6 7 8 B",
    "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -7,4 +7,4 @@\n 6\n 7\n 8\n-b\n+B\n",
  ],
  [
    "a 1 2 3 4 5 6 b",
    "A 1 2 3 4 5 6 B",
    "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n",
  ],
  ["x a b c y", "a b c x y", "@@ -1,5 +1,5 @@\n-x\n a\n b\n c\n+x\n y\n"],
])("%s → %s", (before, after, expected) => {
  expect(unifiedDiff(lines(before), lines(after))).toBe(expected);
});

test("long texts are compared by the lines that say where they meet, and too long ones not at all", () => {
  const brackets = (count: number) =>
    Array.from({ length: count }, (_, at) => `{ ${at} }`).join(" ");
  const before = lines(brackets(300));
  const after = before.replace("\n150\n", "\nother\n");
  expect(unifiedDiff(before, after)).toBe(
    "@@ -449,7 +449,7 @@\n 149\n }\n {\n-150\n+other\n }\n {\n 151\n",
  );
  expect(unifiedDiff(lines(brackets(700)), after)).toBe("");
});
