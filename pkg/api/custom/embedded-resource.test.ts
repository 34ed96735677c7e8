import { describe, expect, test } from "vitest";
import { draftOf } from "../draft.ts";
import { coerceEmbedded, EmbeddedResourceError, validateEmbedded } from "./embedded-resource.ts";
import type { JsonSchema } from "./json-schema.ts";

const template: JsonSchema = {
  type: "object",
  "x-kubernetes-embedded-resource": true,
  "x-kubernetes-preserve-unknown-fields": true,
};
const schema: JsonSchema = {
  type: "object",
  properties: { one: template, many: { type: "array", items: template } },
};
const options = { isResource: false, malformed: "refused" } as const;

test("metadata within an object takes its one form, and unknown fields of it are told", () => {
  const draft = draftOf({
    one: { apiVersion: "v1", kind: "Pod", metadata: { name: "a", odd: 1 }, spec: { odd: 1 } },
    many: [{ metadata: { odd: { deep: 1 } } }],
  });
  const told: string[] = [];
  coerceEmbedded(draft, schema, { ...options, report: (path) => told.push(path) });
  expect(draft.one).toMatchObject({ metadata: { name: "a" }, spec: { odd: 1 } });
  expect(draft.one.metadata).not.toHaveProperty("odd");
  expect(told).toEqual(["one.metadata.odd", "many[0].metadata.odd"]);
});

describe("a resource's own fields of other types", () => {
  const broken = { one: { apiVersion: 1, kind: "Pod", metadata: { name: 5 } } };

  test("are refused", () => {
    expect(() => coerceEmbedded(draftOf(broken), schema, options)).toThrow(EmbeddedResourceError);
  });

  test("are dropped from what is stored already", () => {
    const draft = draftOf(broken);
    coerceEmbedded(draft, schema, { ...options, malformed: "dropped" });
    expect(draft.one).not.toHaveProperty("apiVersion");
  });
});

test("a resource within an object is validated as one", () => {
  const value = {
    one: { apiVersion: "a/b/c", kind: "pod?", metadata: { name: "a/b", labels: { "!": "x" } } },
    many: [{ kind: "" }],
  };
  const errors = validateEmbedded(value, schema, false);
  expect(errors.map(({ path, type }) => `${path}: ${type}`)).toEqual([
    "one.apiVersion: Invalid value",
    "one.kind: Invalid value",
    "one.metadata.name: Invalid value",
    "one.metadata.labels: Invalid value",
    "many[0].apiVersion: Required value",
    "many[0].kind: Invalid value",
  ]);
});
