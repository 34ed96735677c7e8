import { describe, expect, test } from "vitest";
import { draftOf } from "../draft.ts";
import { conforms } from "./conformance.ts";
import type { JsonSchema } from "./json-schema.ts";
import { pruneUnknown } from "./prune-unknown.ts";

const number: JsonSchema = { type: "integer" };
const known: JsonSchema = { type: "object", properties: { a: number, c: number } };
const preserving: JsonSchema = {
  type: "object",
  "x-kubernetes-preserve-unknown-fields": true,
  properties: { pruning: { type: "object", properties: { specified: number } } },
};
const embedded: JsonSchema = {
  type: "object",
  "x-kubernetes-embedded-resource": true,
  properties: { spec: known },
};

describe("what a schema does not name goes, and is told", () => {
  test.each<readonly [string, JsonSchema | undefined, unknown, unknown, readonly string[]]>([
    ["a scalar", {}, 4, 4, []],
    [
      "in items",
      { type: "array", items: known },
      [{ a: 1 }, { b: 1 }, { a: 1, b: 2, c: 3 }],
      [{ a: 1 }, {}, { a: 1, c: 3 }],
      ["[1].b", "[2].b"],
    ],
    ["without a schema", undefined, [{ a: 1 }], [{}], ["[0].a"]],
    [
      "in objects",
      { type: "object", properties: { specified: known } },
      { unspecified: { a: 1 }, specified: { a: 1, b: 2 } },
      { specified: { a: 1 } },
      ["unspecified", "specified.b"],
    ],
    [
      "in a map's values",
      { type: "object", additionalProperties: known },
      { x: { a: 1, b: 2 } },
      { x: { a: 1 } },
      ["x.b"],
    ],
    [
      "in what a map has without saying what",
      { type: "object", properties: { c: { type: "object", additionalProperties: true } } },
      { c: { a: 1, c: { apiVersion: "unknown" } } },
      { c: { a: 1, c: {} } },
      ["c.c.apiVersion"],
    ],
    [
      "not where unknown fields are kept, but again below what is named there",
      preserving,
      { free: { x: 1 }, pruning: { specified: 1, y: 2 } },
      { free: { x: 1 }, pruning: { specified: 1 } },
      ["pruning.y"],
    ],
    [
      "in an embedded resource, but for what every resource has",
      { type: "object", properties: { e: embedded } },
      { e: { apiVersion: "v1", kind: "X", metadata: { odd: 1 }, spec: { b: 1 }, other: 1 } },
      { e: { apiVersion: "v1", kind: "X", metadata: { odd: 1 }, spec: {} } },
      ["e.spec.b", "e.other"],
    ],
  ])("%s", (_, schema, before, after, told) => {
    const draft = draftOf(before);
    const paths: string[] = [];
    pruneUnknown(draft, schema, false, (path) => paths.push(path));
    expect(draft).toEqual(after);
    expect(paths).toEqual(told);
    expect(conforms(before, schema, false)).toBe(told.length === 0);
    expect(conforms(after, schema, false)).toBe(true);
  });
});

test("a resource keeps what every resource has, unasked", () => {
  const draft = draftOf({ apiVersion: "v1", kind: "X", metadata: { name: "a" }, spec: { a: 1 } });
  pruneUnknown(draft, { type: "object" }, true);
  expect(draft).toEqual({ apiVersion: "v1", kind: "X", metadata: { name: "a" } });
});
