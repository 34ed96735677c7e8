import { describe, expect, test } from "vitest";
import { defaultErrors } from "./default-rules.ts";
import type { JsonSchema } from "./json-schema.ts";

const at = (property: JsonSchema): JsonSchema => ({ type: "object", properties: { a: property } });

describe("a default must be a value of its schema", () => {
  test.each<readonly [string, JsonSchema, readonly string[]]>([
    ["a good one", at({ type: "integer", default: 1 }), []],
    [
      "of another type",
      at({ type: "integer", default: "1" }),
      ['s.properties[a].default:  in body must be of type integer: "string"'],
    ],
    [
      "with unknown fields",
      at({ type: "object", properties: { b: { type: "string" } }, default: { c: 1 } }),
      ["s.properties[a].default: must not have unknown fields"],
    ],
    [
      "in a list's items",
      at({
        type: "array",
        items: { type: "object", properties: { b: { type: "string", default: 1 } } },
      }),
      ['s.properties[a].items.properties[b].default:  in body must be of type string: "integer"'],
    ],
    [
      "of an embedded resource that is none",
      at({
        type: "object",
        "x-kubernetes-embedded-resource": true,
        "x-kubernetes-preserve-unknown-fields": true,
        default: { apiVersion: "v1" },
      }),
      ["s.properties[a].default.kind: "],
    ],
    [
      "in the metadata of an embedded resource",
      at({
        type: "object",
        "x-kubernetes-embedded-resource": true,
        properties: {
          metadata: {
            type: "object",
            properties: { name: { type: "string", default: "Not/A/Name" } },
          },
        },
      }),
      [
        "s.properties[a].properties[metadata].properties[name].default: must result in valid metadata: metadata.name: Invalid value: \"Not/A/Name\": may not contain '/'",
      ],
    ],
  ])("%s", (_, schema, expected) => {
    const told = defaultErrors(schema, "s", true).map(({ path, detail }) => `${path}: ${detail}`);
    expect(told).toEqual(expected);
  });

  test("but what was unknown before may stay", () => {
    const schema = at({ type: "object", properties: {}, default: { c: 1 } });
    expect(defaultErrors(schema, "s", false)).toEqual([]);
  });
});
