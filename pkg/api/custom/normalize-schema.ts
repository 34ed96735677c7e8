import { decodeObject } from "../codec/decode.ts";
import { kubernetesSchema } from "../kubernetes-schema.ts";
import type { Draft } from "../object.ts";
import { isJsonDraft, isJsonList, type JsonDraft } from "../patch/json-value.ts";
import type { CustomResourceDefinitionVersion } from "./definition.ts";
import type { JsonSchema } from "./json-schema.ts";

const jsonSchema = kubernetesSchema<JsonSchema>(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps",
);

/**
 * Brings the schemas that stand where a boolean, a list or a text might stand into their form, in place, as the others
 * are by decoding: what nobody knows is gone. Throws a BadRequest where one is no schema.
 */
export function normalizeSchema(version: Draft<CustomResourceDefinitionVersion>): void {
  const schema: unknown = version.schema?.openAPIV3Schema;
  if (isJsonDraft(schema)) normalize(schema);
}

function normalize(schema: JsonDraft): void {
  for (const field of ["items", "additionalProperties", "additionalItems"]) {
    const held = schema[field];
    if (isJsonList(held)) schema[field] = held.map(decoded);
    else if (isJsonDraft(held)) schema[field] = decoded(held);
  }
  const { dependencies } = schema;
  if (isJsonDraft(dependencies)) {
    for (const [key, held] of Object.entries(dependencies)) {
      if (isJsonDraft(held)) dependencies[key] = decoded(held);
    }
  }
  for (const field of ["properties", "patternProperties", "definitions"]) {
    const held = schema[field];
    if (isJsonDraft(held)) for (const inner of Object.values(held)) normalizeHeld(inner);
  }
  for (const field of ["allOf", "anyOf", "oneOf"]) {
    const held = schema[field];
    if (isJsonList(held)) for (const inner of held) normalizeHeld(inner);
  }
  normalizeHeld(schema["not"]);
}

function normalizeHeld(held: unknown): void {
  if (isJsonDraft(held)) normalize(held);
}

function decoded(value: unknown): unknown {
  const { object } = decodeObject(jsonSchema, value);
  normalizeHeld(object);
  return object;
}
