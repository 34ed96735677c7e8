import { describe, expect, test } from "vitest";
import type { JsonSchema } from "./json-schema.ts";
import { validateUniqueness } from "./list-uniqueness.ts";

const list = (type: string, items: JsonSchema, keys: readonly string[] = []): JsonSchema => ({
  type: "object",
  properties: {
    l: {
      type: "array",
      "x-kubernetes-list-type": type,
      ...(keys.length === 0 ? {} : { "x-kubernetes-list-map-keys": keys }),
      items,
    },
  },
});
const anything: JsonSchema = { type: "object" };

describe("what stands twice in a list that is a set or a map", () => {
  test.each<readonly [string, JsonSchema, readonly unknown[], readonly unknown[]]>([
    ["texts", list("set", {}), ["a", "b", "a", "a"], [["l[2]", "a"]]],
    ["numbers and texts", list("set", {}), [1, "1", 1], [["l[2]", 1]]],
    [
      "objects, whatever the order",
      list("set", {}),
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      [["l[1]", { b: 2, a: 1 }]],
    ],
    ["plain lists may", list("atomic", {}), ["a", "a"], []],
    ["by one key", list("map", anything, ["k"]), [{ k: 1, x: 1 }, { k: 1 }], [["l[1]", { k: 1 }]]],
    [
      "by several",
      list("map", anything, ["k", "p"]),
      [
        { k: 1, p: 1 },
        { k: 1, p: 2 },
      ],
      [],
    ],
    ["no key at all", list("map", anything, ["k"]), [{}, { x: 1 }], [["l[1]", {}]]],
    ["no objects", list("map", anything, ["k"]), [{ k: 1 }, 5], [["l[1]", 5]]],
    [
      "deep inside",
      list(
        "map",
        { type: "object", properties: { t: { type: "array", "x-kubernetes-list-type": "set" } } },
        ["k"],
      ),
      [{ k: 1, t: ["a", "a"] }],
      [["l[0].t[1]", "a"]],
    ],
  ])("%s", (_, schema, l, expected) => {
    const told = validateUniqueness({ l }, schema).map(({ path, value }) => [path, value]);
    expect(told).toEqual(expected);
  });
});
