import { describe, expect, test } from "vitest";
import type { CustomResourceDefinition } from "./definition.ts";
import { validateDefinition, validateDefinitionUpdate } from "./definition-rules.ts";
import type { JsonSchema } from "./json-schema.ts";

function crd(spec: object = {}, schema: JsonSchema = { type: "object" }): CustomResourceDefinition {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "as.example.com", uid: "u", resourceVersion: "1", creationTimestamp: "" },
    spec: {
      group: "example.com",
      names: { plural: "as", singular: "a", kind: "A", listKind: "AList" },
      scope: "Cluster",
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      ...spec,
    },
    status: { storedVersions: ["v1"] },
  };
}

const of = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: "object",
  properties: { spec: { type: "object", properties } },
});
const told = (errors: ReturnType<typeof validateDefinition>) =>
  errors.map(({ path, type, detail }) => `${path}: ${type}${detail === "" ? "" : `: ${detail}`}`);

test("a good definition has nothing wrong", () => {
  expect(validateDefinition(crd())).toEqual([]);
});

describe("what of a definition is wrong", () => {
  const at = "spec.validation.openAPIV3Schema";
  test.each<readonly [string, CustomResourceDefinition, readonly string[]]>([
    [
      "a group without a dot",
      crd({ group: "example" }),
      [
        'metadata.name: Invalid value: must be spec.names.plural+"."+spec.group',
        "spec.group: Invalid value: should be a domain with at least one dot",
      ],
    ],
    [
      "no names",
      crd({ names: { plural: "as", singular: "", kind: "", listKind: "" } }),
      [
        "spec.names.singular: Required value",
        "spec.names.kind: Required value",
        "spec.names.listKind: Required value",
      ],
    ],
    [
      "a list of the same kind",
      crd({ names: { plural: "as", singular: "a", kind: "A", listKind: "A" } }),
      ["spec.names.listKind: Invalid value: kind and listKind may not be the same"],
    ],
    [
      "to preserve unknown fields as of old",
      crd({ preserveUnknownFields: true }),
      [
        "spec.preserveUnknownFields: Invalid value: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
      ],
    ],
    [
      "a warning of no deprecation",
      crd({
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            deprecationWarning: "x",
            schema: { openAPIV3Schema: { type: "object" } },
          },
        ],
      }),
      [
        "spec.versions[0].deprecationWarning: Invalid value: can only be set for deprecated versions",
      ],
    ],
    [
      "a default at the root's metadata",
      crd({}, { type: "object", properties: { metadata: { type: "object", default: {} } } }),
      [`${at}.properties[metadata].default: Forbidden: must not be set in top-level metadata`],
    ],
    [
      "a map and an object at once",
      crd(
        {},
        of({ a: { type: "object", properties: {}, additionalProperties: { type: "string" } } }),
      ),
      [],
    ],
    [
      "a map with fields",
      crd(
        {},
        of({
          a: {
            type: "object",
            properties: { b: { type: "string" } },
            additionalProperties: { type: "string" },
          },
        }),
      ),
      [
        `${at}.properties[spec].properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
      ],
    ],
    [
      "a set of objects of parts",
      crd(
        {},
        of({ a: { type: "array", "x-kubernetes-list-type": "set", items: { type: "object" } } }),
      ),
      [
        `${at}.properties[spec].properties[a].items.x-kubernetes-map-type: Invalid value: must be atomic as item of a list with x-kubernetes-list-type=set`,
      ],
    ],
    [
      "list types nobody knows, on what is no list",
      crd({}, of({ a: { type: "string", "x-kubernetes-list-type": "bag" } })),
      [
        `${at}.properties[spec].properties[a].type: Invalid value: must be array if x-kubernetes-list-type is specified`,
        `${at}.properties[spec].properties[a].x-kubernetes-list-type: Unsupported value: supported values: "atomic", "set", "map"`,
      ],
    ],
    [
      "status beside restrictions of the whole",
      crd({
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            subresources: { status: {} },
            schema: { openAPIV3Schema: { type: "object", minProperties: 1 } },
          },
        ],
      }),
      [
        `${at}: Invalid value: only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the status subresource is enabled`,
      ],
    ],
    [
      "nine fields to select by",
      {
        ...crd({
          versions: [
            {
              name: "v1",
              served: true,
              storage: true,
              selectableFields: [..."abcdefghi"].map((name) => ({ jsonPath: `.spec.${name}` })),
              schema: {
                openAPIV3Schema: of(
                  Object.fromEntries([..."abcdefghi"].map((name) => [name, { type: "string" }])),
                ),
              },
            },
          ],
        }),
      },
      ["spec.selectableFields: Too many: must have at most 8 items"],
    ],
  ])("%s", (_, definition, expected) => {
    expect(told(validateDefinition(definition))).toEqual(expected);
  });
});

describe("what was stored before a rule came need not follow it", () => {
  test.each<readonly [string, JsonSchema]>([
    ["a schema without structure", { properties: { spec: {} } }],
    ["a type nobody knows", of({ a: { type: "text" } })],
    [
      "keys that may be missing",
      of({
        a: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["k"],
          items: { type: "object", properties: { k: { type: "string" } } },
        },
      }),
    ],
    [
      "a default with unknown fields",
      of({ a: { type: "object", properties: {}, default: { b: 1 } } }),
    ],
  ])("%s", (_, schema) => {
    const structural = schema.type === "object";
    const more = structural ? {} : { preserveUnknownFields: true };
    const old = crd(more, schema);
    expect(validateDefinition(old)).not.toEqual([]);
    const next = crd({ ...more, names: { ...old.spec.names, shortNames: ["x"] } }, schema);
    expect(told(validateDefinitionUpdate(next, old))).toEqual([]);
  });

  test("but nothing new may break it", () => {
    const next = crd({}, of({ a: { type: "text" } }));
    expect(told(validateDefinitionUpdate(next, crd()))).toHaveLength(1);
  });
});
