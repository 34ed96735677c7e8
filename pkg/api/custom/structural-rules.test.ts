import { describe, expect, test } from "vitest";
import type { JsonSchema } from "./json-schema.ts";
import { structuralErrors } from "./structural-rules.ts";

const of = (
  properties: Readonly<Record<string, JsonSchema>>,
  more: JsonSchema = {},
): JsonSchema => ({
  type: "object",
  properties,
  ...more,
});

describe("what is not structural", () => {
  test.each<readonly [string, JsonSchema, readonly string[]]>([
    ["a plain object", of({ a: { type: "string" } }), []],
    [
      "no types",
      { properties: { a: {}, b: { items: {} } } },
      [
        "s.properties[a].type: must not be empty for specified object fields",
        "s.properties[b].items.type: must not be empty for specified array items",
        "s.properties[b].type: must not be empty for specified object fields",
        "s.type: must not be empty at the root",
      ],
    ],
    [
      "another type at the root",
      { type: "array", items: { type: "string" } },
      ["s.type: must be object at the root"],
    ],
    [
      "a list of nothing",
      of({ a: { type: "array" } }),
      ["s.properties[a].items: must be specified"],
    ],
    [
      "a map at the root",
      { type: "object", additionalProperties: { type: "string" } },
      ["s.additionalProperties: must not be used at the root"],
    ],
    [
      "restricted metadata",
      of({ metadata: of({ labels: { type: "object" } }) }),
      [
        "s.properties[metadata]: must not specify anything other than name and generateName, but metadata is implicitly specified",
      ],
    ],
    ["restricted names", of({ metadata: of({ name: { type: "string", pattern: "^a" } }) }), []],
    [
      "metadata, kind and apiVersion of other types",
      of({
        metadata: { type: "string" },
        kind: { type: "integer" },
        apiVersion: { type: "integer" },
      }),
      [
        "s.properties[apiVersion].type: must be string",
        "s.properties[kind].type: must be string",
        "s.properties[metadata].type: must be object",
      ],
    ],
    [
      "an embedded resource that is none",
      of({ e: { type: "string", "x-kubernetes-embedded-resource": true } }),
      [
        "s.properties[e].properties: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
        "s.properties[e].type: must be object if x-kubernetes-embedded-resource is true",
      ],
    ],
    [
      "both at once",
      of({
        e: { "x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true },
      }),
      [
        "s.properties[e].x-kubernetes-preserve-unknown-fields: must be false if x-kubernetes-int-or-string is true",
      ],
    ],
    [
      "integer or string, in its two ways",
      of({
        a: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
        b: {
          "x-kubernetes-int-or-string": true,
          allOf: [{ anyOf: [{ type: "integer" }, { type: "string" }] }, { minLength: 1 }],
        },
      }),
      [],
    ],
    [
      "structure inside a junctor",
      of(
        { a: { type: "string" } },
        {
          allOf: [
            {
              type: "object",
              nullable: true,
              title: "t",
              description: "d",
              default: {},
              additionalProperties: {},
              "x-kubernetes-list-type": "set",
            },
          ],
        },
      ),
      [
        "s.allOf[0].additionalProperties: must be undefined to be structural",
        "s.allOf[0].default: must be undefined to be structural",
        "s.allOf[0].description: must be empty to be structural",
        "s.allOf[0].nullable: must be false to be structural",
        "s.allOf[0].title: must be empty to be structural",
        "s.allOf[0].type: must be empty to be structural",
        "s.allOf[0].x-kubernetes-list-type: must be undefined to be structural",
      ],
    ],
    [
      "values of what is not there",
      of(
        { a: { type: "string" } },
        { anyOf: [{ required: ["b"], properties: { b: { minLength: 1 } } }] },
      ),
      ["s.properties[b]: because it is defined in s.anyOf[0].properties[b]"],
    ],
    [
      "a junctor about metadata",
      of({ metadata: { type: "object" } }, { not: { properties: { metadata: {} } } }),
      ["s.not.properties[metadata]: must not be specified in a nested context"],
    ],
  ])("%s", (_, schema, expected) => {
    const told = structuralErrors(schema, "s").map(({ path, detail }) => `${path}: ${detail}`);
    expect(told).toEqual(expected);
  });
});
