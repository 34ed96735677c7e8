import { expect, test } from "vitest";
import { ageOf, humanDuration, printLabels } from "./columns.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

test.each<[number, string]>([
  [-5 * second, "<invalid>"],
  [-1 * second, "0s"],
  [0, "0s"],
  [119 * second, "119s"],
  [120 * second, "2m"],
  [150 * second, "2m30s"],
  [10 * minute + 30 * second, "10m"],
  [179 * minute, "179m"],
  [3 * hour, "3h"],
  [7 * hour + 59 * minute, "7h59m"],
  [8 * hour + 59 * minute, "8h"],
  [47 * hour, "47h"],
  [2 * day, "2d"],
  [3 * day + 5 * hour, "3d5h"],
  [8 * day + 5 * hour, "8d"],
  [2 * 365 * day, "2y"],
  [2 * 365 * day + 3 * day, "2y3d"],
  [9 * 365 * day + 3 * day, "9y"],
])("%i ms is %s", (durationMs, text) => {
  expect(humanDuration(durationMs)).toBe(text);
});

test("what has no time has no age", () => {
  expect(ageOf(undefined, 0)).toBe("<unknown>");
  expect(ageOf("1970-01-01T00:00:00Z", 3 * minute)).toBe("3m");
});

test("labels are printed sorted", () => {
  expect(printLabels({ b: "2", a: "1" })).toBe("a=1,b=2");
  expect(printLabels({})).toBe("<none>");
});
