import fc from "fast-check";
import { expect, test } from "vitest";
import { ApiError } from "../api-error.ts";
import { decodeObject } from "../codec/decode.ts";
import { copyJsonObject, type JsonDraft, setOwn } from "../patch/json-value.ts";
import { customResourceDefinitionResource } from "../resources/customresourcedefinition.ts";
import { customResources } from "./custom-resource.ts";
import type { JsonSchema } from "./json-schema.ts";
import { customOpenApi } from "./open-api.ts";

const requester = { username: "fuzz", groups: [] };

const seed = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "as.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "as", kind: "A", shortNames: ["x"], categories: ["all"] },
    conversion: { strategy: "None" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        deprecated: true,
        deprecationWarning: "old",
        subresources: {
          status: {},
          scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
        },
        additionalPrinterColumns: [{ name: "A", type: "string", jsonPath: ".spec.a[0]['x']" }],
        selectableFields: [{ jsonPath: ".spec.color" }],
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                required: ["color"],
                properties: {
                  color: { type: "string", enum: ["red"], default: "red", pattern: "^r" },
                  replicas: { type: "integer", minimum: 1, format: "int32", multipleOf: 2 },
                  list: {
                    type: "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["k"],
                    items: {
                      type: "object",
                      required: ["k"],
                      properties: { k: { type: "string" } },
                    },
                  },
                  map: { type: "object", additionalProperties: { type: "string", nullable: true } },
                  port: { "x-kubernetes-int-or-string": true },
                  any: { type: "object", oneOf: [{ required: ["a"] }], not: { required: ["b"] } },
                  pod: {
                    type: "object",
                    "x-kubernetes-embedded-resource": true,
                    "x-kubernetes-preserve-unknown-fields": true,
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};

const replacement = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(null, true, -1, 1e300, 2n ** 62n, "", "object", "array", ".", "[", "$"),
  fc.constantFrom<unknown>(
    { type: "object" },
    [{ type: "string" }],
    { items: {} },
    { anyOf: [{}] },
  ),
);

/** Puts `value` somewhere into `object`: `at` chooses the way. */
function mutate(object: JsonDraft, at: readonly number[], value: unknown): void {
  let holder: JsonDraft = object;
  for (const step of at) {
    const keys = Object.keys(holder);
    const key = keys[step % Math.max(1, keys.length)];
    if (key === undefined) break;
    const held = holder[key];
    if (typeof held !== "object" || held === null || step % 7 === 0) {
      setOwn(holder, key, value);
      return;
    }
    holder = held as JsonDraft;
  }
  setOwn(holder, "extra", value);
}

test("no definition, however odd, is more than refused; what is not refused serves any object", () => {
  let served = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.array(fc.nat(), { minLength: 3, maxLength: 14 }), replacement), {
        maxLength: 3,
      }),
      fc.dictionary(fc.constantFrom("color", "replicas", "list", "map", "pod"), fc.jsonValue()),
      (mutations, spec) => {
        const sent = copyJsonObject(seed);
        for (const [at, value] of mutations) mutate(sent, at, value);
        const kind = customResourceDefinitionResource;
        let draft: ReturnType<
          typeof decodeObject<Parameters<NonNullable<typeof kind.validate>>[0]>
        >["object"];
        try {
          draft = decodeObject(kind.schema, sent).object;
          kind.defaults?.(draft, 0);
        } catch (caught) {
          expect(caught).toBeInstanceOf(ApiError);
          return;
        }
        kind.prepareCreate?.(draft, requester, 0);
        const crd = draft as Parameters<NonNullable<typeof kind.validateCreate>>[0];
        kind.warnings?.(crd, undefined);
        if ((kind.validateCreate?.(crd) ?? []).length > 0) return;
        expect(kind.validateUpdate?.(crd, crd)).toEqual([]);
        for (const version of customResources(crd)) {
          served += 1;
          const object = {
            apiVersion: `example.com/${version.version}`,
            kind: version.kind,
            metadata: { name: "a" },
            spec,
          } as never;
          version.validateCreate?.(object);
          for (const column of version.columns) column.cell(object, 0);
          const schema: JsonSchema = version.schema.object.structural ?? {};
          for (const form of [2, 3] as const) {
            customOpenApi(schema, { version: form, describe: () => undefined }, () => {});
          }
        }
      },
    ),
    { numRuns: 500 },
  );
  expect(served).toBeGreaterThan(10);
});
