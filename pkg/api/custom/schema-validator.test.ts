import { describe, expect, test } from "vitest";
import { ApiError } from "../api-error.ts";
import { parseJsonValue } from "../codec/json.ts";
import type { FieldError } from "../resource.ts";
import type { JsonSchema } from "./json-schema.ts";
import { schemaValidator } from "./schema-validator.ts";

function printed(errors: readonly FieldError[]): readonly string[] {
  return errors.map((error) =>
    ApiError.invalid({ group: "", kind: "X" }, "x", [error]).message.replace(
      'X "x" is invalid: ',
      "",
    ),
  );
}

function problemsOf(schema: JsonSchema, value: unknown): readonly string[] {
  const root: JsonSchema = { type: "object", properties: { f: schema } };
  return printed(schemaValidator(root).validate({ f: value }));
}

describe("a value that is not such as its schema says is told in upstream's words", () => {
  test.each<readonly [string, JsonSchema, unknown, readonly string[]]>([
    [
      "another type",
      { type: "integer" },
      "three",
      ['f: Invalid value: "string": f in body must be of type integer: "string"'],
    ],
    [
      "null where it is no value",
      { type: "string" },
      null,
      ['f: Invalid value: "null": f in body must be of type string: "null"'],
    ],
    ["null where it is one", { type: "string", nullable: true }, null, []],
    [
      "not one of an enumeration",
      { type: "string", enum: ["a", "b"] },
      "c",
      ['f: Unsupported value: "c": supported values: "a", "b"'],
    ],
    ["one of numbers", { type: "integer", enum: [1, 2] }, 2, []],
    [
      "a required field",
      { type: "object", required: ["name"], properties: { name: { type: "string" } } },
      {},
      ["f.name: Required value"],
    ],
    [
      "a pattern",
      { type: "string", pattern: "^a+$" },
      "b",
      ["f: Invalid value: \"b\": f in body should match '^a+$'"],
    ],
    [
      "too short",
      { type: "string", minLength: 2 },
      "ü",
      ['f: Invalid value: "ü": f in body should be at least 2 chars long'],
    ],
    [
      "too long",
      { type: "string", maxLength: 2 },
      "abc",
      ["f: Too long: may not be more than 2 bytes"],
    ],
    ["long in bytes alone", { type: "string", maxLength: 2 }, "😀😀", []],
    [
      "too many items",
      { type: "array", maxItems: 1, items: { type: "integer" } },
      [1, 2],
      ["f: Too many: 2: must have at most 1 item"],
    ],
    [
      "too few items",
      { type: "array", minItems: 1, items: { type: "integer" } },
      [],
      ["f: Invalid value: 0: f in body should have at least 1 items"],
    ],
    [
      "an item of another type",
      { type: "array", items: { type: "integer" } },
      [1, "2"],
      ['f[1]: Invalid value: "string": f[1] in body must be of type integer: "string"'],
    ],
    [
      "a map's value of another type",
      { type: "object", additionalProperties: { type: "string" } },
      { a: 1 },
      ['f.a: Invalid value: "integer": f.a in body must be of type string: "integer"'],
    ],
    [
      "too many entries",
      { type: "object", maxProperties: 1, additionalProperties: { type: "string" } },
      { a: "1", b: "2" },
      ["f: Too many: 2: must have at most 1 item"],
    ],
    [
      "too few entries",
      { type: "object", minProperties: 1, additionalProperties: { type: "string" } },
      {},
      ["f: Invalid value: 0: f in body should have at least 1 properties"],
    ],
    [
      "greater than the greatest",
      { type: "integer", maximum: 10 },
      11,
      ["f: Invalid value: 11: f in body should be less than or equal to 10"],
    ],
    [
      "not less than what excludes itself",
      { type: "number", maximum: 0.5, exclusiveMaximum: true },
      0.5,
      ["f: Invalid value: 0.5: f in body should be less than 0.5"],
    ],
    [
      "less than the least",
      { type: "integer", minimum: 1 },
      0,
      ["f: Invalid value: 0: f in body should be greater than or equal to 1"],
    ],
    [
      "no multiple",
      { type: "integer", multipleOf: 5 },
      7,
      ["f: Invalid value: 7: f in body should be a multiple of 5"],
    ],
    [
      "a format",
      { type: "string", format: "date-time" },
      "soon",
      ['f: Invalid value: "soon": f in body must be of type date-time: "soon"'],
    ],
    ["a format nobody knows", { type: "string", format: "klingon" }, "soon", []],
    [
      "a boolean for a number with a format",
      { type: "integer", format: "int32" },
      true,
      ['f: Invalid value: "": f in body must be of type int32: ""'],
    ],
    [
      "neither integer nor text",
      { "x-kubernetes-int-or-string": true },
      true,
      ['f: Invalid value: "boolean": f in body must be of type integer,string: "boolean"'],
    ],
    ["an integer for either", { "x-kubernetes-int-or-string": true }, 3, []],
    [
      "a fraction for an integer",
      { type: "integer" },
      1.5,
      ['f: Invalid value: "number": f in body must be of type integer: "number"'],
    ],
    ["an integer for a number", { type: "number" }, 3, []],
    [
      "a forbidden entry",
      { type: "object", additionalProperties: false },
      { a: 1 },
      ['f: Invalid value: "a": f.a in body is a forbidden property'],
    ],
    [
      "none of several",
      { type: "string", anyOf: [{ pattern: "^a" }, { pattern: "^b" }] },
      "c",
      [
        '<nil>: Invalid value: "": "f" must validate at least one schema (anyOf)',
        "f: Invalid value: \"c\": f in body should match '^a'",
      ],
    ],
    [
      "more than one of several",
      { type: "string", oneOf: [{ pattern: "^a" }, { pattern: "c$" }] },
      "abc",
      [
        '<nil>: Invalid value: "": "f" must validate one and only one schema (oneOf). Found 2 valid alternatives',
      ],
    ],
    [
      "not all",
      { type: "string", allOf: [{ minLength: 1 }, { pattern: "^a" }] },
      "b",
      [
        "f: Invalid value: \"b\": f in body should match '^a'",
        '<nil>: Invalid value: "": "f" must validate all the schemas (allOf)',
      ],
    ],
    [
      "what must not be",
      { type: "string", not: { pattern: "^a" } },
      "a",
      ['<nil>: Invalid value: "": "f" must not validate the schema (not)'],
    ],
  ])("%s", (_, schema, value, expected) => {
    expect(problemsOf(schema, value)).toEqual(expected);
  });
});

test("every digit of a large integer counts", () => {
  const schema: JsonSchema = { type: "integer", format: "int64", multipleOf: 2 };
  expect(problemsOf(schema, parseJsonValue("9007199254740994"))).toEqual([]);
  expect(problemsOf(schema, parseJsonValue("9007199254740995"))).toEqual([
    "f: Invalid value: 9007199254740995: f in body should be a multiple of 2",
  ]);
});

test("a pattern that could run for years takes no time", () => {
  const start = performance.now();
  problemsOf({ type: "string", pattern: "^(a+)+$" }, `${"a".repeat(100_000)}b`);
  expect(performance.now() - start).toBeLessThan(1_000);
});

describe("what was wrong before may stay as it is", () => {
  const schema: JsonSchema = {
    type: "object",
    properties: {
      plain: { type: "string", pattern: "^a" },
      list: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        items: {
          type: "object",
          properties: { name: { type: "string" }, size: { type: "integer", maximum: 1 } },
        },
      },
      atomic: { type: "array", items: { type: "integer", maximum: 1 } },
    },
  };
  test.each<readonly [string, object, object, readonly string[]]>([
    ["an unchanged field", { plain: "b" }, { plain: "b" }, []],
    [
      "a changed one",
      { plain: "b" },
      { plain: "c" },
      ["plain: Invalid value: \"c\": plain in body should match '^a'"],
    ],
    [
      "an item found again by its key",
      { list: [{ name: "x", size: 2 }] },
      {
        list: [
          { name: "y", size: 1 },
          { name: "x", size: 2 },
        ],
      },
      [],
    ],
    [
      "a new item",
      { list: [{ name: "x", size: 2 }] },
      { list: [{ name: "y", size: 2 }] },
      ["list[0].size: Invalid value: 2: list[0].size in body should be less than or equal to 1"],
    ],
    [
      "an item of a list that is one value",
      { atomic: [2] },
      { atomic: [2, 1] },
      ["atomic[0]: Invalid value: 2: atomic[0] in body should be less than or equal to 1"],
    ],
  ])("%s", (_, previous, next, expected) => {
    expect(printed(schemaValidator(schema).validateUpdate(next, previous))).toEqual(expected);
  });
});

test("a million wrong items are refused at once", () => {
  const list = Array.from({ length: 300_000 }, (_, index) => `x${index}`);
  const start = performance.now();
  const root: JsonSchema = { type: "array", items: { type: "integer" } };
  const errors = schemaValidator(root).validate(list);
  expect(errors).toHaveLength(1_000);
  expect(performance.now() - start).toBeLessThan(2_000);
});
