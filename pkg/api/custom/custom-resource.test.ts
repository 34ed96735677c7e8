import fc from "fast-check";
import { expect, test } from "vitest";
import { draftOf } from "../draft.ts";
import type { KubernetesObject } from "../object.ts";
import { applyDefaults } from "./apply-defaults.ts";
import { conforms } from "./conformance.ts";
import { customResources } from "./custom-resource.ts";
import { decodeCustom } from "./decode-custom.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "./definition.ts";
import type { JsonSchema } from "./json-schema.ts";
import { schemaValidator } from "./schema-validator.ts";
import { structuralErrors } from "./structural-rules.ts";

const keys = fc.constantFrom("a", "b", "c", "__proto__", "constructor", "x.y");

const { schema: anySchema } = fc.letrec<{ schema: JsonSchema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record(
      { type: fc.constant("string"), maxLength: fc.constant(3) },
      { requiredKeys: ["type"] },
    ),
    fc.record(
      { type: fc.constant("integer"), default: fc.constant(1), nullable: fc.boolean() },
      { requiredKeys: ["type"] },
    ),
    fc.constant<JsonSchema>({ "x-kubernetes-int-or-string": true }),
    fc.constant<JsonSchema>({ "x-kubernetes-preserve-unknown-fields": true }),
    fc.record(
      {
        type: fc.constant("object"),
        properties: fc.dictionary(keys, tie("schema")),
        nullable: fc.boolean(),
        "x-kubernetes-preserve-unknown-fields": fc.constant(true as const),
        default: fc.constant({}),
      },
      { requiredKeys: ["type", "properties"] },
    ),
    fc.record({ type: fc.constant("object"), additionalProperties: tie("schema") }),
    fc.record({ type: fc.constant("array"), items: tie("schema") }),
  ) as fc.Arbitrary<JsonSchema>,
}));

const anyValue = fc.jsonValue({ maxDepth: 4 });

const anyObject = fc.record({
  apiVersion: fc.constant("example.com/v1"),
  kind: fc.constant("A"),
  metadata: fc.constant({ name: "a" }),
  spec: fc.dictionary(keys, anyValue),
});

const ofSpec = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: "object",
  properties: { spec: { type: "object", properties } },
});

test("whatever is sent, what is made of it conforms, and is made of it again", () => {
  fc.assert(
    fc.property(fc.dictionary(keys, anySchema), anyObject, (properties, sent) => {
      const schema = ofSpec(properties);
      fc.pre(structuralErrors(schema, "").length === 0);
      const make = (value: unknown) => {
        const { object } = decodeCustom("A", "v1", schema, value, { fieldValidation: "Warn" });
        applyDefaults(object, schema);
        return object;
      };
      const made = make(sent);
      expect(conforms(made, schema, true)).toBe(true);
      expect(make(made)).toEqual(made);
      const validator = schemaValidator(schema);
      const errors = validator.validate(made);
      expect(validator.validateUpdate(made, made)).toEqual([]);
      if (errors.length === 0) expect(validator.validateUpdate(made, sent)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

function definition(
  versions: readonly (Partial<CustomResourceDefinitionVersion> & { readonly name: string })[],
): CustomResourceDefinition {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "as.example.com", uid: "u", resourceVersion: "1", creationTimestamp: "" },
    spec: {
      group: "example.com",
      names: { plural: "as", singular: "a", kind: "A", listKind: "AList" },
      scope: "Cluster",
      versions: versions.map((version) => ({ served: true, storage: false, ...version })),
    },
  };
}

const text: JsonSchema = { type: "string" };

test("a stored object that conforms is shown as it lies there", () => {
  const [v1] = customResources(
    definition([{ name: "v1", storage: true, schema: { openAPIV3Schema: ofSpec({ a: text }) } }]),
  );
  const object = {
    apiVersion: "example.com/v1",
    kind: "A",
    metadata: { name: "a" },
    spec: { a: "b" },
  } as unknown as KubernetesObject;
  expect(v1?.fromStored?.(object)).toBe(object);
});

test("an object goes to its storage version and back, but for what that one does not know", () => {
  const [v1, v2] = customResources(
    definition([
      { name: "v1", storage: true, schema: { openAPIV3Schema: ofSpec({ a: text, old: text }) } },
      { name: "v2", schema: { openAPIV3Schema: ofSpec({ a: text, new: text }) } },
    ]),
  );
  const object = {
    apiVersion: "example.com/v2",
    kind: "A",
    metadata: { name: "a" },
    spec: { a: "1", new: "2" },
  } as unknown as KubernetesObject;
  const stored = v2?.toStored?.(object);
  expect(stored).toMatchObject({ apiVersion: "example.com/v1", spec: { a: "1" } });
  expect(stored).not.toHaveProperty("spec.new");
  expect(v2?.fromStored?.(stored ?? object)).toEqual({ ...object, spec: { a: "1" } });
  expect(v2?.storedAs).toBe(v1);
});

test("a storage version that is not served is a kind for its versions alone", () => {
  const kinds = customResources(
    definition([{ name: "v1", storage: true, served: false }, { name: "v2" }]),
  );
  expect(kinds.map(({ version, storedAs }) => [version, storedAs?.version])).toEqual([
    ["v2", "v1"],
  ]);
});

test("a generation grows with all but metadata, and the status that is written by itself", () => {
  const [plain] = customResources(definition([{ name: "v1", storage: true }]));
  const [stated] = customResources(
    definition([{ name: "v1", storage: true, subresources: { status: {} } }]),
  );
  const before = {
    apiVersion: "example.com/v1",
    kind: "A",
    metadata: { name: "a" },
    spec: {},
    status: {},
  } as unknown as KubernetesObject;
  const changed = (field: string) =>
    ({ ...draftOf(before), [field]: { name: "a", x: 1 } }) as unknown as KubernetesObject;
  const grows = (kind: typeof plain, field: string) =>
    kind?.generationChanged?.(changed(field), before);
  expect(["metadata", "spec", "status"].map((field) => grows(plain, field))).toEqual([
    false,
    true,
    true,
  ]);
  expect(["metadata", "spec", "status"].map((field) => grows(stated, field))).toEqual([
    false,
    true,
    false,
  ]);
});
