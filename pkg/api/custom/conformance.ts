import { isJsonList, isJsonObject, ownValue } from "../patch/json-value.ts";
import {
  hasDefault,
  itemsOf,
  type JsonSchema,
  propertyOf,
  resourceFields,
  valuesOf,
} from "./json-schema.ts";

/**
 * Whether a stored object is as its schema would have it today: nothing unknown in it, no default missing, no null out
 * of place. Most are, and are then served as they lie there.
 */
export function conforms(
  value: unknown,
  schema: JsonSchema | undefined,
  isResource: boolean,
): boolean {
  if (typeof value !== "object" || value === null) return true;
  const keepsUnknown = schema?.["x-kubernetes-preserve-unknown-fields"] === true;
  if (isJsonList(value)) {
    const items = schema === undefined ? undefined : itemsOf(schema);
    if (items === undefined && keepsUnknown) return true;
    return value.every(
      (item) =>
        !(item === null && items !== undefined && items.nullable !== true && hasDefault(items)) &&
        conforms(item, items, false),
    );
  }
  if (!isJsonObject(value)) return true;
  if (schema === undefined) return Object.keys(value).length === 0;
  const isEmbedded = isResource || schema["x-kubernetes-embedded-resource"] === true;
  const values = valuesOf(schema);
  for (const key of Object.keys(value)) {
    if (isEmbedded && resourceFields.has(key)) continue;
    const property = propertyOf(schema, key);
    if (property === undefined && schema.additionalProperties === undefined) {
      if (keepsUnknown) continue;
      return false;
    }
    const field = property ?? values;
    const held = value[key];
    if (held === null && field !== undefined && field.nullable !== true) return false;
    if (!conforms(held, field, false)) return false;
  }
  return requiredDefaults(schema).every((key) => ownValue(value, key) !== undefined);
}

const known = new WeakMap<JsonSchema, readonly string[]>();

function requiredDefaults(schema: JsonSchema): readonly string[] {
  const keys = known.get(schema);
  if (keys !== undefined) return keys;
  const found = Object.entries(schema.properties ?? {})
    .filter(([, property]) => hasDefault(property))
    .map(([key]) => key);
  known.set(schema, found);
  return found;
}
