import { duplicate, invalid } from "../field-error.ts";
import { isJsonList, isJsonObject, type JsonDraft, ownValue } from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";
import { itemsOf, type JsonSchema, propertyOf, valuesOf } from "./json-schema.ts";

/** What stands twice in a list that is a set, or a map by its keys. `path` is "" for a whole object. */
export function validateUniqueness(
  value: unknown,
  schema: JsonSchema | undefined,
  path = "",
): readonly FieldError[] {
  if (schema === undefined || !needsUniqueness(schema)) return [];
  const errors: FieldError[] = [];
  validate(value, schema, path, errors);
  return errors;
}

const needing = new WeakMap<JsonSchema, boolean>();

/** Whether there is any such list in the schema. Answered once for each. */
function needsUniqueness(schema: JsonSchema): boolean {
  const known = needing.get(schema);
  if (known !== undefined) return known;
  const type = schema["x-kubernetes-list-type"];
  const inner = [itemsOf(schema), valuesOf(schema), ...Object.values(schema.properties ?? {})];
  const needs =
    type === "set" ||
    type === "map" ||
    inner.some((each) => each !== undefined && needsUniqueness(each));
  needing.set(schema, needs);
  return needs;
}

function validate(value: unknown, schema: JsonSchema, path: string, errors: FieldError[]): void {
  if (!needsUniqueness(schema)) return;
  if (isJsonList(value)) {
    validateList(value, schema, path, errors);
  } else if (isJsonObject(value)) {
    const values = valuesOf(schema);
    for (const key of Object.keys(value)) {
      const property = propertyOf(schema, key);
      if (property !== undefined) {
        validate(value[key], property, path === "" ? key : `${path}.${key}`, errors);
      } else if (values !== undefined) validate(value[key], values, `${path}[${key}]`, errors);
    }
  }
}

function validateList(
  list: readonly unknown[],
  schema: JsonSchema,
  path: string,
  errors: FieldError[],
): void {
  const type = schema["x-kubernetes-list-type"];
  if (type === "set") {
    for (const at of repeated(list)) errors.push(duplicate(`${path}[${at}]`, list[at]));
  } else if (type === "map") {
    validateMapList(list, schema["x-kubernetes-list-map-keys"] ?? [], path, errors);
  }
  const items = itemsOf(schema);
  if (items === undefined) return;
  list.forEach((item, index) => {
    validate(item, items, `${path}[${index}]`, errors);
  });
}

function validateMapList(
  list: readonly unknown[],
  names: readonly string[],
  path: string,
  errors: FieldError[],
): void {
  const keys: JsonDraft[] = [];
  for (const [index, item] of list.entries()) {
    if (item !== null && !isJsonObject(item)) {
      errors.push(
        invalid(`${path}[${index}]`, item, "must be an object for an array of list-type map"),
      );
      return;
    }
    const key: JsonDraft = {};
    for (const name of names) {
      const held = item === null ? undefined : ownValue(item, name);
      if (held !== undefined) key[name] = held;
    }
    keys.push(key);
  }
  for (const at of repeated(keys)) errors.push(duplicate(`${path}[${at}]`, keys[at]));
}

/** Of one list, no more than this many are told. */
const repeatedMax = 1_000;

/** The places at which a value stands for the second time. A third time tells nothing new. */
function repeated(values: readonly unknown[]): readonly number[] {
  if (values.length <= 1) return [];
  const times = new Map<string, number>();
  const places: number[] = [];
  values.forEach((value, index) => {
    const text = canonicalText(value);
    const before = times.get(text) ?? 0;
    times.set(text, before + 1);
    if (before === 1 && places.length < repeatedMax) places.push(index);
  });
  return places;
}

/** Equal values have equal texts, whatever the order of their keys. */
function canonicalText(value: unknown): string {
  if (isJsonList(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (isJsonObject(value)) {
    const keys = Object.keys(value).sort();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalText(value[key])}`).join(",")}}`;
  }
  return typeof value === "bigint" ? value.toString() : JSON.stringify(value);
}
