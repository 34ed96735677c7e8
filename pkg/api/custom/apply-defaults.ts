import {
  copyJson,
  isJsonDraft,
  isJsonList,
  type JsonDraft,
  ownValue,
  setOwn,
} from "../patch/json-value.ts";
import { hasDefault, itemsOf, type JsonSchema, propertyOf, valuesOf } from "./json-schema.ts";

/**
 * Fills in, in place, the defaults of fields that are not there, and of nulls where null is no value. Defaults apply
 * inside objects that are there, and inside those that a default has made.
 */
export function applyDefaults(value: unknown, schema: JsonSchema | undefined): void {
  if (schema === undefined || typeof value !== "object" || value === null) return;
  if (isJsonList(value)) {
    const items = itemsOf(schema);
    if (items === undefined) return;
    const list = value as unknown[];
    for (let at = 0; at < list.length; at += 1) {
      if (isMisplacedNull(list[at], items)) list[at] = copyJson(items.default ?? null);
      applyDefaults(list[at], items);
    }
    return;
  }
  if (!isJsonDraft(value)) return;
  const { properties } = schema;
  if (properties !== undefined) {
    for (const [key, property] of defaultedOf(schema)) {
      const held = ownValue(value, key);
      if (held === undefined || isMisplacedNull(held, property)) {
        setOwn(value, key, copyJson(property.default));
      }
    }
  }
  const values = valuesOf(schema);
  if (properties === undefined && values === undefined) return;
  for (const key of Object.keys(value)) defaultField(value, key, propertyOf(schema, key), values);
}

function defaultField(
  object: JsonDraft,
  key: string,
  property: JsonSchema | undefined,
  values: JsonSchema | undefined,
): void {
  if (property !== undefined) {
    applyDefaults(object[key], property);
  } else if (values !== undefined) {
    if (isMisplacedNull(object[key], values)) setOwn(object, key, copyJson(values.default ?? null));
    applyDefaults(object[key], values);
  }
}

/** Null where null is no value of the schema. */
function isMisplacedNull(value: unknown, schema: JsonSchema): boolean {
  return value === null && schema.nullable !== true;
}

const defaulted = new WeakMap<JsonSchema, readonly (readonly [string, JsonSchema])[]>();

/** The properties that have a default: most have none, and every object asks. */
function defaultedOf(schema: JsonSchema): readonly (readonly [string, JsonSchema])[] {
  const known = defaulted.get(schema);
  if (known !== undefined) return known;
  const found = Object.entries(schema.properties ?? {}).filter(([, each]) => hasDefault(each));
  defaulted.set(schema, found);
  return found;
}

/** Takes out, in place, each null that is neither a value of its schema nor going to be replaced by a default. */
export function pruneNulls(value: unknown, schema: JsonSchema | undefined): void {
  if (schema === undefined || typeof value !== "object" || value === null) return;
  if (isJsonList(value)) {
    const items = itemsOf(schema);
    for (const item of value) pruneNulls(item, items);
    return;
  }
  if (!isJsonDraft(value)) return;
  const values = valuesOf(schema);
  for (const key of Object.keys(value)) {
    const field = propertyOf(schema, key) ?? values;
    if (field === undefined) continue;
    if (isMisplacedNull(value[key], field) && !hasDefault(field)) delete value[key];
    else pruneNulls(value[key], field);
  }
}
