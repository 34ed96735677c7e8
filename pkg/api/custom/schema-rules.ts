import { addAll } from "../../base/add-all.ts";
import { forbidden, invalid, notSupported, required } from "../field-error.ts";
import type { FieldError } from "../resource.ts";
import {
  hasDefault,
  itemsByPlace,
  itemsOf,
  type JsonSchema,
  resourceFields,
  valuesOf,
} from "./json-schema.ts";

/** Where in a schema the check stands, as far as that restricts what may be said. */
interface Place {
  /** Why there may be no default; undefined: there may. */
  readonly noDefaults: string | undefined;
  /** In the apiVersion, kind or metadata of a resource. */
  readonly insideMeta: boolean;
  readonly isRoot: boolean;
}

/** Which rules hold; an object that was stored before a rule came need not follow it. */
export interface SchemaRuleOptions {
  readonly requireValidTypes: boolean;
  readonly requireAtomicSets: boolean;
  readonly requireUsableKeys: boolean;
}

export const jsonTypes: readonly string[] = [
  "array",
  "boolean",
  "integer",
  "number",
  "object",
  "string",
];

/** What a schema of a definition may not say, structural or not. */
export function schemaErrors(
  schema: JsonSchema,
  path: string,
  options: SchemaRuleOptions,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  check(schema, path, { noDefaults: undefined, insideMeta: false, isRoot: true }, options, errors);
  return errors;
}

function check(
  schema: JsonSchema,
  path: string,
  place: Place,
  options: SchemaRuleOptions,
  errors: FieldError[],
): void {
  checkStandard(schema, path, place, options, errors);
  if (schema.uniqueItems === true) {
    const detail =
      "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    errors.push(forbidden(`${path}.uniqueItems`, detail));
  }
  const inside: Place = { ...place, isRoot: false };
  checkValues(schema, path, inside, options, errors);
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const at = `${path}.properties[${key}]`;
    check(property, at, placeOfProperty(schema, key, place), options, errors);
  }
  if (schema.not !== undefined) check(schema.not, `${path}.not`, inside, options, errors);
  for (const junctor of ["allOf", "oneOf", "anyOf"] as const) {
    schema[junctor]?.forEach((each, index) => {
      check(each, `${path}.${junctor}[${index}]`, inside, options, errors);
    });
  }
  for (const [key, each] of Object.entries(schema.definitions ?? {})) {
    check(each, `${path}.definitions[${key}]`, inside, options, errors);
  }
  const items = itemsOf(schema);
  if (items !== undefined) check(items, `${path}.items`, inside, options, errors);
  itemsByPlace(schema).forEach((each, index) => {
    check(each, `${path}.items[${index}]`, inside, options, errors);
  });
  for (const [key, each] of Object.entries(schema.dependencies ?? {})) {
    if (isSchema(each)) check(each, `${path}.dependencies[${key}]`, inside, options, errors);
  }
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    const detail = "must be true or undefined";
    errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, detail));
  }
  checkMapType(schema, path, errors);
  checkListType(schema, path, options, errors);
  if (options.requireUsableKeys) addAll(errors, keyErrors(schema, path));
}

function isSchema(value: JsonSchema | readonly string[]): value is JsonSchema {
  return !Array.isArray(value);
}

function placeOfProperty(schema: JsonSchema, key: string, place: Place): Place {
  const isResource = place.isRoot || schema["x-kubernetes-embedded-resource"] === true;
  const inside: Place = { ...place, isRoot: false };
  if (!isResource || !resourceFields.has(key)) return inside;
  const noDefaults = place.isRoot ? `in top-level ${key}` : place.noDefaults;
  return { ...inside, insideMeta: true, noDefaults };
}

function checkValues(
  schema: JsonSchema,
  path: string,
  place: Place,
  options: SchemaRuleOptions,
  errors: FieldError[],
): void {
  const { additionalProperties, properties } = schema;
  if (additionalProperties === undefined) return;
  const at = `${path}.additionalProperties`;
  if (Object.keys(properties ?? {}).length > 0 && additionalProperties !== true) {
    const detail = "additionalProperties and properties are mutual exclusive";
    errors.push(forbidden(at, detail));
  }
  const values = valuesOf(schema);
  if (values === undefined) return;
  const noDefaults = place.insideMeta
    ? "inside additionalProperties applying to object metadata"
    : place.noDefaults;
  check(values, at, { ...place, noDefaults }, options, errors);
}

function checkStandard(
  schema: JsonSchema,
  path: string,
  place: Place,
  options: SchemaRuleOptions,
  errors: FieldError[],
): void {
  const type = schema.type ?? "";
  if (options.requireValidTypes && type !== "" && !jsonTypes.includes(type)) {
    errors.push(notSupported(`${path}.type`, type, jsonTypes));
  }
  if (hasDefault(schema) && place.noDefaults !== undefined) {
    errors.push(forbidden(`${path}.default`, `must not be set ${place.noDefaults}`));
  }
  const unsupported: readonly (readonly [string, boolean])[] = [
    ["id", (schema.id ?? "") !== ""],
    ["additionalItems", schema.additionalItems !== undefined],
    ["patternProperties", Object.keys(schema.patternProperties ?? {}).length > 0],
    ["definitions", Object.keys(schema.definitions ?? {}).length > 0],
    ["dependencies", schema.dependencies !== undefined],
    ["$ref", schema.$ref !== undefined],
  ];
  for (const [field, isSet] of unsupported) {
    if (isSet) errors.push(forbidden(`${path}.${field}`, `${field} is not supported`));
  }
  if (type === "null") {
    const detail = "type cannot be set to null, use nullable as an alternative";
    errors.push(forbidden(`${path}.type`, detail));
  }
  if (itemsByPlace(schema).length > 0) {
    errors.push(forbidden(`${path}.items`, "items must be a schema object and not an array"));
  }
  if (place.insideMeta && schema["x-kubernetes-embedded-resource"] === true) {
    const detail = "must not be used inside of resource meta";
    errors.push(forbidden(`${path}.x-kubernetes-embedded-resource`, detail));
  }
}

function checkMapType(schema: JsonSchema, path: string, errors: FieldError[]): void {
  const mapType = schema["x-kubernetes-map-type"];
  if (mapType === undefined) return;
  requireType(schema, "object", "x-kubernetes-map-type", path, errors);
  if (mapType !== "atomic" && mapType !== "granular") {
    const at = `${path}.x-kubernetes-map-type`;
    errors.push(notSupported(at, mapType, ["atomic", "granular"]));
  }
}

function requireType(
  schema: JsonSchema,
  type: string,
  because: string,
  path: string,
  errors: FieldError[],
): boolean {
  if (schema.type === type) return true;
  const detail = `must be ${type} if ${because} is specified`;
  errors.push(
    (schema.type ?? "") === ""
      ? required(`${path}.type`, detail)
      : invalid(`${path}.type`, schema.type, detail),
  );
  return false;
}

const listTypes = ["atomic", "set", "map"];

function checkListType(
  schema: JsonSchema,
  path: string,
  options: SchemaRuleOptions,
  errors: FieldError[],
): void {
  const listType = schema["x-kubernetes-list-type"];
  const typePath = `${path}.x-kubernetes-list-type`;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (listType !== undefined) {
    const isList = requireType(schema, "array", "x-kubernetes-list-type", path, errors);
    if (isList && options.requireAtomicSets) addAll(errors, setErrors(schema, path));
    if (!listTypes.includes(listType)) errors.push(notSupported(typePath, listType, listTypes));
  }
  if (keys.length > 0 && listType !== "map") {
    const detail = "must be map if x-kubernetes-list-map-keys is non-empty";
    errors.push(
      listType === undefined ? required(typePath, detail) : invalid(typePath, listType, detail),
    );
  }
  if (listType === "map") checkMapList(schema, keys, path, errors);
}

/** The items of a set must be values as a whole. */
function setErrors(schema: JsonSchema, path: string): readonly FieldError[] {
  const items = itemsOf(schema);
  if (schema["x-kubernetes-list-type"] !== "set" || items === undefined) return [];
  const detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const itemType = items["x-kubernetes-list-type"];
  if (items.type === "array" && itemType !== undefined && itemType !== "atomic") {
    return [invalid(`${path}.items.x-kubernetes-list-type`, itemType, detail)];
  }
  if (items.type === "object" && items["x-kubernetes-map-type"] !== "atomic") {
    return [invalid(`${path}.items.x-kubernetes-map-type`, itemType, detail)];
  }
  return [];
}

/** Whether a set has items of several parts, which later rules would refuse. */
export function hasNonAtomicSet(schema: JsonSchema): boolean {
  return setErrors(schema, "").length > 0;
}

function checkMapList(
  schema: JsonSchema,
  keys: readonly string[],
  path: string,
  errors: FieldError[],
): void {
  const keysPath = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) {
    errors.push(required(keysPath, "must not be empty if x-kubernetes-list-type is map"));
  }
  if (schema.items === undefined) {
    const detail = "must have a schema if x-kubernetes-list-type is map";
    errors.push(required(`${path}.items`, detail));
    return;
  }
  const items = itemsOf(schema);
  if (items === undefined) {
    const detail = "must only have a single schema if x-kubernetes-list-type is map";
    errors.push(invalid(`${path}.items`, schema.items, detail));
    return;
  }
  if (items.type !== "object") {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalid(`${path}.items.type`, items.type ?? "", detail));
    return;
  }
  const seen = new Set<string>();
  for (const key of keys) {
    const type = items.properties?.[key]?.type;
    if (items.properties?.[key] === undefined) {
      errors.push(invalid(keysPath, keys, "entries must all be names of item properties"));
    } else if (type === "array" || type === "object") {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(invalid(`${path}.items.properties[${key}].type`, items.type, detail));
    }
    if (seen.has(key)) {
      errors.push(invalid(keysPath, keys, "must not contain duplicate entries"));
    }
    seen.add(key);
  }
}

/** Every item of a keyed list must have its keys, and be there. */
export function keyErrors(schema: JsonSchema, path: string): readonly FieldError[] {
  const items = itemsOf(schema);
  const listType = schema["x-kubernetes-list-type"];
  if (items === undefined || (listType !== "set" && listType !== "map")) return [];
  const errors: FieldError[] = [];
  if (items.nullable === true) {
    const detail = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
    errors.push(forbidden(`${path}.items.nullable`, detail));
  }
  if (listType === "set") return errors;
  for (const key of schema["x-kubernetes-list-map-keys"] ?? []) {
    const property = items.properties?.[key];
    if (property === undefined) continue;
    const at = `${path}.items.properties[${key}]`;
    const because = "this property is in x-kubernetes-list-map-keys, so it";
    if (!(items.required ?? []).includes(key) && !hasDefault(property)) {
      errors.push(
        required(`${at}.default`, `${because} must have a default or be a required property`),
      );
    }
    if (property.nullable === true) {
      errors.push(forbidden(`${at}.nullable`, `${because} cannot be nullable`));
    }
  }
  return errors;
}
