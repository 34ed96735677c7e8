import { forbidden, invalid, required } from "../field-error.ts";
import { equalJson } from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";
import { hasDefault, itemsOf, type JsonSchema, propertyOf, valuesOf } from "./json-schema.ts";
import { patternProblem } from "./pattern.ts";

/** Where in an object a schema stands. */
type Level = "root" | "item" | "field";

const integerOrString: readonly JsonSchema[] = [{ type: "integer" }, { type: "string" }];

/**
 * Why a schema is not structural: each value must have one type, said outside of allOf, anyOf, oneOf and not. In
 * upstream's words, sorted.
 */
export function structuralErrors(schema: JsonSchema, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  checkStructure(schema, "root", path, errors);
  checkCompleteness(schema, schema, path, path, errors);
  const text = ({ path: at, type, detail }: FieldError) => `${at}: ${type}: ${detail}`;
  return errors.sort((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0));
}

function checkStructure(
  schema: JsonSchema,
  level: Level,
  path: string,
  errors: FieldError[],
): void {
  const items = itemsOf(schema);
  if (schema.type === "array" && items === undefined) {
    errors.push(required(`${path}.items`, "must be specified"));
  }
  if (items !== undefined) checkStructure(items, "item", `${path}.items`, errors);
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    checkStructure(property, "field", `${path}.properties[${key}]`, errors);
  }
  if (schema.additionalProperties !== undefined) {
    if (level === "root") {
      errors.push(forbidden(`${path}.additionalProperties`, "must not be used at the root"));
    }
    const values = valuesOf(schema);
    if (values !== undefined) {
      checkStructure(values, "field", `${path}.additionalProperties`, errors);
    }
  }
  checkExtensions(schema, path, errors);
  checkValueRules(schema, isIntOrStringAnyOf(schema), isIntOrStringAllOf(schema), path, errors);
  checkType(schema, level, path, errors);
  checkResourceFields(schema, level, path, errors);
}

function checkExtensions(schema: JsonSchema, path: string, errors: FieldError[]): void {
  if (schema["x-kubernetes-int-or-string"] !== true) return;
  for (const extension of [
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
  ] as const) {
    if (schema[extension] !== true) continue;
    const detail = "must be false if x-kubernetes-int-or-string is true";
    errors.push(invalid(`${path}.${extension}`, true, detail));
  }
}

const emptyType: Readonly<Record<Level, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};

function checkType(schema: JsonSchema, level: Level, path: string, errors: FieldError[]): void {
  const type = schema.type ?? "";
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  if (isEmbedded && type !== "object") {
    const detail = "must be object if x-kubernetes-embedded-resource is true";
    errors.push(
      type === "" ? required(`${path}.type`, detail) : invalid(`${path}.type`, type, detail),
    );
  } else if (
    type === "" &&
    schema["x-kubernetes-int-or-string"] !== true &&
    schema["x-kubernetes-preserve-unknown-fields"] !== true
  ) {
    errors.push(required(`${path}.type`, emptyType[level]));
  }
  if (isEmbedded && schema.additionalProperties !== undefined) {
    const detail = "must not be used if x-kubernetes-embedded-resource is set";
    errors.push(forbidden(`${path}.additionalProperties`, detail));
  }
  if (level === "root" && type !== "" && type !== "object") {
    errors.push(invalid(`${path}.type`, type, "must be object at the root"));
  }
}

/** Of the metadata of a resource only the names may be restricted. */
function checkResourceFields(
  schema: JsonSchema,
  level: Level,
  path: string,
  errors: FieldError[],
): void {
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  const isResource = level === "root" || isEmbedded;
  for (const key of ["kind", "apiVersion"]) {
    const property = propertyOf(schema, key);
    if (!isResource || property === undefined || property.type === "string") continue;
    errors.push(invalid(`${path}.properties[${key}].type`, property.type ?? "", "must be string"));
  }
  const metadata = propertyOf(schema, "metadata");
  if (metadata !== undefined) {
    const at = `${path}.properties[metadata]`;
    if (isResource && metadata.type !== "object") {
      errors.push(invalid(`${at}.type`, metadata.type ?? "", "must be object"));
    }
    if (level === "root" && !restrictsNamesOnly(metadata)) {
      errors.push(
        forbidden(
          at,
          "must not specify anything other than name and generateName, but metadata is implicitly specified",
        ),
      );
    }
  }
  const hasProperties = Object.keys(schema.properties ?? {}).length > 0;
  if (isEmbedded && schema["x-kubernetes-preserve-unknown-fields"] !== true && !hasProperties) {
    const detail =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    errors.push(required(`${path}.properties`, detail));
  }
}

function restrictsNamesOnly(metadata: JsonSchema): boolean {
  const { properties = {}, type: _, default: __, ...others } = metadata;
  const named = Object.keys(properties);
  const isNames = named.every((key) => key === "name" || key === "generateName");
  return isNames && Object.values(others).every(isZero);
}

/** What Go has where nothing was said. */
function isZero(value: unknown): boolean {
  return (
    value === undefined ||
    value === false ||
    value === "" ||
    (Array.isArray(value) && value.length === 0)
  );
}

function isIntOrStringAnyOf(schema: JsonSchema): boolean {
  return schema.anyOf?.length === 2 && equalJson(schema.anyOf, integerOrString);
}

function isIntOrStringAllOf(schema: JsonSchema): boolean {
  const first = schema.allOf?.[0];
  return first?.anyOf?.length === 2 && equalJson(first.anyOf, integerOrString);
}

/** `skipAnyOf`, `skipFirstAllOf`: these say "integer or string", in the one way in which that may be said. */
function checkValueRules(
  schema: JsonSchema,
  skipAnyOf: boolean,
  skipFirstAllOf: boolean,
  path: string,
  errors: FieldError[],
): void {
  if (!skipAnyOf) {
    schema.anyOf?.forEach((each, index) => {
      checkNested(each, false, `${path}.anyOf[${index}]`, errors);
    });
  }
  schema.allOf?.forEach((each, index) => {
    checkNested(each, skipFirstAllOf && index === 0, `${path}.allOf[${index}]`, errors);
  });
  schema.oneOf?.forEach((each, index) => {
    checkNested(each, false, `${path}.oneOf[${index}]`, errors);
  });
  if (schema.not !== undefined) checkNested(schema.not, false, `${path}.not`, errors);
  const { pattern } = schema;
  if (pattern === undefined || pattern === "") return;
  const problem = patternProblem(pattern);
  if (problem === undefined) return;
  const detail = `must be a valid regular expression, but isn't: ${problem}`;
  errors.push(invalid(`${path}.pattern`, pattern, detail));
}

const forbiddenInside: readonly {
  readonly field: keyof JsonSchema;
  readonly detail: string;
  readonly isSet: (schema: JsonSchema) => boolean;
}[] = [
  {
    field: "type",
    detail: "must be empty to be structural",
    isSet: ({ type }) => type !== undefined && type !== "",
  },
  {
    field: "additionalProperties",
    detail: "must be undefined to be structural",
    isSet: ({ additionalProperties }) =>
      additionalProperties !== undefined && additionalProperties !== false,
  },
  { field: "default", detail: "must be undefined to be structural", isSet: hasDefault },
  {
    field: "title",
    detail: "must be empty to be structural",
    isSet: ({ title }) => title !== undefined && title !== "",
  },
  {
    field: "description",
    detail: "must be empty to be structural",
    isSet: ({ description }) => description !== undefined && description !== "",
  },
  {
    field: "nullable",
    detail: "must be false to be structural",
    isSet: ({ nullable }) => nullable === true,
  },
  ...(
    [
      "x-kubernetes-preserve-unknown-fields",
      "x-kubernetes-embedded-resource",
      "x-kubernetes-int-or-string",
    ] as const
  ).map((field) => ({
    field,
    detail: "must be false to be structural",
    isSet: (schema: JsonSchema) => schema[field] === true,
  })),
  {
    field: "x-kubernetes-list-map-keys",
    detail: "must be empty to be structural",
    isSet: (schema) => (schema["x-kubernetes-list-map-keys"] ?? []).length > 0,
  },
  ...(["x-kubernetes-list-type", "x-kubernetes-map-type"] as const).map((field) => ({
    field,
    detail: "must be undefined to be structural",
    isSet: (schema: JsonSchema) => schema[field] !== undefined,
  })),
  {
    field: "x-kubernetes-validations",
    detail: "must be empty to be structural",
    isSet: (schema) => (schema["x-kubernetes-validations"] ?? []).length > 0,
  },
];

/** Inside of allOf, anyOf, oneOf and not, only values may be restricted. */
function checkNested(
  schema: JsonSchema,
  skipAnyOf: boolean,
  path: string,
  errors: FieldError[],
): void {
  checkValueRules(schema, skipAnyOf, false, path, errors);
  const items = itemsOf(schema);
  if (items !== undefined) checkNested(items, false, `${path}.items`, errors);
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    checkNested(property, false, `${path}.properties[${key}]`, errors);
  }
  for (const { field, detail, isSet } of forbiddenInside) {
    if (isSet(schema)) errors.push(forbidden(`${path}.${field}`, detail));
  }
  if (propertyOf(schema, "metadata") !== undefined) {
    const detail = "must not be specified in a nested context";
    errors.push(forbidden(`${path}.properties[metadata]`, detail));
  }
}

/** What a nested schema speaks of must be there in the structure. */
function checkCompleteness(
  rules: JsonSchema,
  structure: JsonSchema,
  at: string,
  rulesAt: string,
  errors: FieldError[],
): void {
  const nested: (readonly [JsonSchema, string])[] = [];
  if (rules.not !== undefined) nested.push([rules.not, `${rulesAt}.not`]);
  for (const junctor of ["allOf", "anyOf", "oneOf"] as const) {
    rules[junctor]?.forEach((each, index) => {
      nested.push([each, `${rulesAt}.${junctor}[${index}]`]);
    });
  }
  for (const [each, eachAt] of nested) {
    checkNestedCompleteness(each, structure, at, eachAt, errors);
  }
}

function checkNestedCompleteness(
  rules: JsonSchema,
  structure: JsonSchema | undefined,
  at: string,
  rulesAt: string,
  errors: FieldError[],
): void {
  if (structure === undefined) {
    errors.push(required(at, `because it is defined in ${rulesAt}`));
    return;
  }
  checkCompleteness(rules, structure, at, rulesAt, errors);
  const items = itemsOf(rules);
  if (items !== undefined) {
    const [itemsAt, rulesItemsAt] = [`${at}.items`, `${rulesAt}.items`];
    checkNestedCompleteness(items, itemsOf(structure), itemsAt, rulesItemsAt, errors);
  }
  for (const [key, property] of Object.entries(rules.properties ?? {})) {
    const step = `properties[${key}]`;
    const own = propertyOf(structure, key);
    checkNestedCompleteness(property, own, `${at}.${step}`, `${rulesAt}.${step}`, errors);
  }
}
