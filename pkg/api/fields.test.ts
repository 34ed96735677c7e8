import { expect, test } from "vitest";
import { formatFieldSelector, matchesFieldSelector, parseFieldSelector } from "./fields.ts";

const read = (field: string) => ({ "status.phase": "Running", "a.b": "x,y=z\\" })[field] ?? "";

test.each<[string, boolean]>([
  ["", true],
  ["status.phase=Running", true],
  ["status.phase==Running", true],
  ["status.phase!=Running", false],
  ["status.phase=Running,other=", true],
  ["status.phase=Running,other=x", false],
  ["a.b=x\\,y\\=z\\\\", true],
])("%s: %s", (text, chosen) => {
  const selector = parseFieldSelector(text);
  expect(matchesFieldSelector(selector, read)).toBe(chosen);
  expect(parseFieldSelector(formatFieldSelector(selector))).toEqual(selector);
});

test("what is no field selector is refused in upstream's words", () => {
  expect(() => parseFieldSelector("a=b,c")).toThrow(
    "invalid selector: 'a=b,c'; can't understand 'c'",
  );
  expect(() => parseFieldSelector("a=b\\c")).toThrow(/invalid escape sequence/);
});
