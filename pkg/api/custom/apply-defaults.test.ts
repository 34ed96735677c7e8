import { describe, expect, test } from "vitest";
import { draftOf } from "../draft.ts";
import { applyDefaults, pruneNulls } from "./apply-defaults.ts";
import { conforms } from "./conformance.ts";
import type { JsonSchema } from "./json-schema.ts";

const withDefault = (value: unknown, more: JsonSchema = {}): JsonSchema => ({
  default: value,
  ...more,
});
const object = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: "object",
  properties,
});

describe("defaults stand where nothing stood", () => {
  test.each<readonly [string, JsonSchema | undefined, unknown, unknown]>([
    ["not without a schema", undefined, { a: 1 }, { a: 1 }],
    ["not for a value itself", withDefault("foo"), 4, 4],
    [
      "in items",
      { items: object({ a: withDefault("A"), b: withDefault("B") }) },
      [{ a: 1 }, { b: 1 }, {}],
      [
        { a: 1, b: "B" },
        { a: "A", b: 1 },
        { a: "A", b: "B" },
      ],
    ],
    [
      "in a map's values",
      { additionalProperties: object({ a: withDefault("alpha") }) },
      { x: { a: 1 }, y: {} },
      { x: { a: 1 }, y: { a: "alpha" } },
    ],
    ["not in an object that is not there", object({ o: object({ a: withDefault("A") }) }), {}, {}],
    [
      "in one that a default has made",
      object({ o: { ...object({ a: withDefault("A") }), default: { b: 1 } } }),
      {},
      { o: { b: 1, a: "A" } },
    ],
    [
      "not for empty values",
      { items: object({ a: withDefault("A") }) },
      [{ a: 0 }, { a: "" }, { a: [] }, { a: {} }, { a: false }],
      [{ a: 0 }, { a: "" }, { a: [] }, { a: {} }, { a: false }],
    ],
    [
      "for null where it is no value",
      object({ a: withDefault("A"), b: withDefault("B", { nullable: true }) }),
      { a: null, b: null },
      { a: "A", b: null },
    ],
    ["for null in a list", { items: withDefault("A") }, ["x", null], ["x", "A"]],
    ["for null in a map", { additionalProperties: withDefault("A") }, { x: null }, { x: "A" }],
  ])("%s", (_, schema, before, after) => {
    const draft = draftOf(before);
    applyDefaults(draft, schema);
    expect(draft).toEqual(after);
  });

  test("and are not shared between objects", () => {
    const schema = object({ list: withDefault([1]) });
    const [one, two] = [draftOf({} as { list?: number[] }), draftOf({} as { list?: number[] })];
    applyDefaults(one, schema);
    applyDefaults(two, schema);
    one.list?.push(2);
    expect(two.list).toEqual([1]);
  });
});

test("nulls go where they are no value and nothing replaces them", () => {
  const schema = object({
    plain: {},
    nullable: { nullable: true },
    defaulted: withDefault(1),
    list: { items: object({ plain: {} }) },
    map: { additionalProperties: {} },
  });
  const before = {
    plain: null,
    nullable: null,
    defaulted: null,
    unknown: null,
    list: [null, { plain: null }],
    map: { a: null, b: 1 },
  };
  const draft = draftOf(before);
  pruneNulls(draft, schema);
  expect(draft).toEqual({
    nullable: null,
    defaulted: null,
    unknown: null,
    list: [null, {}],
    map: { b: 1 },
  });
});

test("an object conforms once it has its defaults", () => {
  const schema = object({ a: withDefault(1), o: object({ b: withDefault(2) }) });
  const draft = draftOf({ o: {} });
  expect(conforms(draft, schema, false)).toBe(false);
  applyDefaults(draft, schema);
  expect(conforms(draft, schema, false)).toBe(true);
});
