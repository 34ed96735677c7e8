import { forbidden } from "../field-error.ts";
import type { FieldError } from "../resource.ts";
import type { HoistedSpec } from "./hoisted-spec.ts";
import { itemsByPlace, itemsOf, type JsonSchema } from "./json-schema.ts";

/** The one place that says what of a definition is not served: rules in CEL, and webhooks that convert. */
export function unsupportedConversion(spec: HoistedSpec): readonly FieldError[] {
  if (spec.conversion?.strategy !== "Webhook") return [];
  const detail =
    "conversion webhooks are not supported by this server yet: use strategy None, and the same schema in all versions";
  return [forbidden("spec.conversion.strategy", detail)];
}

export function unsupportedSchemaRules(schema: JsonSchema, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  find(schema, path, errors);
  return errors;
}

function find(schema: JsonSchema, path: string, errors: FieldError[]): void {
  if ((schema["x-kubernetes-validations"] ?? []).length > 0) {
    const detail =
      "rules in CEL are not supported by this server yet, and are refused rather than ignored";
    errors.push(forbidden(`${path}.x-kubernetes-validations`, detail));
  }
  const items = itemsOf(schema);
  if (items !== undefined) find(items, `${path}.items`, errors);
  itemsByPlace(schema).forEach((each, index) => {
    find(each, `${path}.items[${index}]`, errors);
  });
  if (typeof schema.additionalProperties === "object") {
    find(schema.additionalProperties, `${path}.additionalProperties`, errors);
  }
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    find(property, `${path}.properties[${key}]`, errors);
  }
  for (const junctor of ["allOf", "anyOf", "oneOf"] as const) {
    schema[junctor]?.forEach((each, index) => {
      find(each, `${path}.${junctor}[${index}]`, errors);
    });
  }
  if (schema.not !== undefined) find(schema.not, `${path}.not`, errors);
}
