import { describe, expect, test } from "vitest";
import { JsonPathError, parseJsonPath, printJsonPathValue } from "./json-path.ts";

const object = {
  metadata: { name: "a", annotations: { "example.com/key": "v", "dotted.name": "d" } },
  spec: {
    list: [
      { type: "Ready", status: "True", weight: 2 },
      { type: "Busy", status: "False", weight: 7 },
    ],
    none: null,
    empty: [],
  },
};

describe("a path leads to what kubectl finds by it", () => {
  test.each<readonly [string, readonly unknown[]]>([
    [".metadata.name", ["a"]],
    ["metadata.name", ["a"]],
    ["$.metadata.name", ["a"]],
    [".metadata.missing.name", []],
    [".metadata['name']", ["a"]],
    [".metadata.annotations['example.com/key']", ["v"]],
    [".metadata.annotations.dotted\\.name", ["d"]],
    [".spec.none", [null]],
    [".spec.list[0].type", ["Ready"]],
    [".spec.list[-1].type", ["Busy"]],
    [".spec.list[5].type", []],
    [".spec.list[*].type", ["Ready", "Busy"]],
    [".spec.list[0:1].type", ["Ready"]],
    [".spec.list[0,1].weight", [2, 7]],
    ['.spec.list[?(@.type=="Ready")].status', ["True"]],
    [".spec.list[?(@.weight>2)].type", ["Busy"]],
    [".spec.list[?(@.type=='==')].type", []],
    [".spec.list[?(@.missing)].type", []],
    [".spec.list[?(@.weight)].type", ["Ready", "Busy"]],
    ["..type", ["Ready", "Busy"]],
    [".spec.empty[*]", []],
    [".metadata.constructor", []],
  ])("%s", (path, expected) => {
    expect(parseJsonPath(path).find(object)).toEqual(expected);
  });
});

test.each([".spec[", ".spec[abc]", ".spec}x", ".a b"])("%s cannot be read", (path) => {
  expect(() => parseJsonPath(path)).toThrow(JsonPathError);
});

test("a value is printed as text, and what is no text as JSON", () => {
  expect(["a", 1, true, null, { a: [1] }].map(printJsonPathValue)).toEqual([
    "a",
    "1",
    "true",
    "",
    '{"a":[1]}',
  ]);
});

test("a long path that is none is refused in no time", () => {
  const start = performance.now();
  expect(() => parseJsonPath(`.a[?(${" ".repeat(200_000)}@.x y)]`)).toThrow(JsonPathError);
  expect(performance.now() - start).toBeLessThan(1_000);
});
