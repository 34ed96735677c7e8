import {
  equalJson,
  isJsonList,
  isJsonObject,
  type JsonObject,
  ownValue,
} from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";
import {
  type Failure,
  failure,
  longerThan,
  missing,
  moreThan,
  notOneOf,
  toFieldErrors,
  wholeFailure,
  wrongType,
} from "./failure.ts";
import { formatCheck, formatOf } from "./formats.ts";
import { goNumber } from "./go-number.ts";
import { itemsOf, type JsonSchema, propertyOf, valuesOf } from "./json-schema.ts";
import { compilePattern, type Pattern } from "./pattern.ts";

/** Tells what of a value is not such as its schema says, in upstream's words. */
export interface SchemaValidator {
  /** `path` is where the value stands; "" for a whole object. */
  validate(value: unknown, path?: string): readonly FieldError[];
  /** The same, but what was wrong before and is as it was is let be. */
  validateUpdate(value: unknown, previous: unknown, path?: string): readonly FieldError[];
}

const compiled = new WeakMap<JsonSchema, SchemaValidator>();

/** The validator of a schema. Patterns and formats are looked up once, however often it validates. */
export function schemaValidator(schema: JsonSchema): SchemaValidator {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  let node: Node | undefined;
  const run = (value: unknown, previous: unknown, path: string) => {
    const result = new Result();
    // Large schemas take milliseconds, and many never see an object.
    node ??= compile(schema);
    validateKnown(node, value, "", previous, result);
    return result.failures.length === 0 ? [] : toFieldErrors(result.failures, path);
  };
  const validator: SchemaValidator = {
    validate: (value, path = "") => run(value, unrelated, path),
    validateUpdate: (value, previous, path = "") =>
      run(value, previous === undefined ? unrelated : previous, path),
  };
  compiled.set(schema, validator);
  return validator;
}

/** There is no earlier value that this one comes from. */
const unrelated = Symbol("unrelated");

/** A schema with all that can be worked out beforehand. */
interface Node {
  readonly schema: JsonSchema;
  /** Empty: any. */
  readonly types: readonly string[];
  readonly format: string | undefined;
  readonly pattern: Pattern | undefined;
  readonly checksFormat: ((text: string) => boolean) | undefined;
  readonly properties: readonly (readonly [string, Node])[];
  readonly values: Node | undefined;
  readonly items: Node | undefined;
  readonly allOf: readonly Node[];
  readonly anyOf: readonly Node[];
  readonly oneOf: readonly Node[];
  readonly not: Node | undefined;
}

function compile(schema: JsonSchema): Node {
  const items = itemsOf(schema);
  const values = valuesOf(schema);
  const format = formatOf(schema);
  const type = schema.type ?? "";
  return {
    schema,
    types:
      schema["x-kubernetes-int-or-string"] === true
        ? ["integer", "string"]
        : type === ""
          ? []
          : [type],
    format,
    pattern:
      schema.pattern === undefined || schema.pattern === ""
        ? undefined
        : compilePattern(schema.pattern),
    checksFormat: format === undefined ? undefined : formatCheck(format),
    properties: Object.entries(schema.properties ?? {}).map(([key, each]) => [key, compile(each)]),
    values: values === undefined ? undefined : compile(values),
    items: items === undefined ? undefined : compile(items),
    allOf: (schema.allOf ?? []).map(compile),
    anyOf: (schema.anyOf ?? []).map(compile),
    oneOf: (schema.oneOf ?? []).map(compile),
    not: schema.not === undefined ? undefined : compile(schema.not),
  };
}

/** An object of a million wrong items is refused as well with fewer words. */
const failuresMax = 1_000;

/** What a validation found, and how much of a schema fitted: of several that do not, the nearest is told of. */
class Result {
  readonly failures: Failure[] = [];
  #told: Set<string> | undefined;
  matches = 0;

  fail(each: Failure): void {
    this.#told ??= new Set();
    if (this.failures.length === failuresMax || this.#told.has(each.message)) return;
    this.#told.add(each.message);
    this.failures.push(each);
  }

  merge(other: Result): void {
    for (const each of other.failures) this.fail(each);
    this.matches += other.matches;
  }

  get isValid(): boolean {
    return this.failures.length === 0;
  }
}

/** Validates a value that stands where `previous` stood: what fails, but has not changed, does not fail. */
function validateKnown(
  node: Node,
  value: unknown,
  path: string,
  previous: unknown,
  into: Result,
): void {
  if (previous === unrelated) {
    validateNode(node, value, path, unrelated, into);
    return;
  }
  const result = new Result();
  validateNode(node, value, path, previous, result);
  if (!result.isValid && equalJson(value, previous)) into.matches += result.matches;
  else into.merge(result);
}

type JsonType = "null" | "string" | "integer" | "number" | "boolean" | "array" | "object";

function validateNode(
  node: Node,
  value: unknown,
  path: string,
  previous: unknown,
  result: Result,
): void {
  if (value === null || value === undefined) {
    validateNull(node, path, result);
    return;
  }
  const type = typeOf(value);
  if (node.types.length > 0 || node.format !== undefined) {
    validateType(node, type, path, result);
    result.matches += 1;
  }
  validateCombinations(node, value, path, previous, result);
  result.matches += 1;
  if (typeof value === "string") validateString(node, value, path, result);
  else if (typeof value === "number" || typeof value === "bigint") {
    validateNumber(node, value, path, result);
  } else if (isJsonList(value)) validateList(node, value, path, previous, result);
  validateEnum(node, value, path, result);
  result.matches += 1;
  if (isJsonObject(value)) validateObject(node, value, path, previous, result);
  result.matches += 1;
}

function validateNull(node: Node, path: string, result: Result): void {
  const { schema, types } = node;
  if (types.length > 0 && schema.nullable !== true && !types.includes("null")) {
    result.fail(wrongType(path, types.join(","), "null"));
  } else result.matches += 1;
  if (schema.enum !== undefined && schema.enum.length > 0) {
    result.fail(notOneOf(path, null, schema.enum));
  }
}

const int64Max = 2n ** 63n;

function typeOf(value: unknown): JsonType {
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "boolean";
    case "bigint":
      return value >= -int64Max && value < int64Max ? "integer" : "number";
    case "number":
      return Number.isSafeInteger(value) ? "integer" : "number";
    default:
      return Array.isArray(value) ? "array" : "object";
  }
}

/** What Go has for a number of JSON. */
const numberFormats: Readonly<Partial<Record<JsonType, string>>> = {
  integer: "int64",
  number: "float64",
};

function validateType(node: Node, type: JsonType, path: string, result: Result): void {
  const { types, format } = node;
  const fits = types.includes(type) || (type === "integer" && types.includes("number"));
  const isTextual = type === "string" || type === "array";
  if (format !== undefined && !isTextual && !fits) {
    const found = numberFormats[type] ?? "";
    if (found !== format) {
      result.fail(wrongType(path, format, found));
      return;
    }
  }
  const isNumeric = types.includes("number") || types.includes("integer");
  // Where a text has a format, that is what it is checked against.
  if (format !== undefined && isTextual && !isNumeric) result.matches += 1;
  else if (fits) result.matches += 1;
  else result.fail(wrongType(path, types.join(","), type));
}

function validateCombinations(
  node: Node,
  value: unknown,
  path: string,
  previous: unknown,
  result: Result,
): void {
  if (node.anyOf.length > 0) validateAnyOf(node.anyOf, value, path, previous, result);
  if (node.oneOf.length > 0) validateOneOf(node.oneOf, value, path, previous, result);
  if (node.allOf.length > 0) validateAllOf(node.allOf, value, path, previous, result);
  if (node.not !== undefined && resultOf(node.not, value, path, previous).isValid) {
    result.fail(wholeFailure(`${JSON.stringify(path)} must not validate the schema (not)`));
  }
  result.matches += 1;
}

function resultOf(node: Node, value: unknown, path: string, previous: unknown): Result {
  const result = new Result();
  validateNode(node, value, path, previous, result);
  return result;
}

function validateAnyOf(
  nodes: readonly Node[],
  value: unknown,
  path: string,
  previous: unknown,
  result: Result,
): void {
  let best: Result | undefined;
  for (const node of nodes) {
    const one = resultOf(node, value, path, previous);
    if (one.isValid) {
      result.merge(one);
      return;
    }
    if (best === undefined || one.matches > best.matches) best = one;
  }
  result.fail(wholeFailure(`${JSON.stringify(path)} must validate at least one schema (anyOf)`));
  if (best !== undefined) result.merge(best);
}

function validateOneOf(
  nodes: readonly Node[],
  value: unknown,
  path: string,
  previous: unknown,
  result: Result,
): void {
  let best: Result | undefined;
  let first: Result | undefined;
  let valid = 0;
  for (const node of nodes) {
    const one = resultOf(node, value, path, previous);
    if (one.isValid) {
      valid += 1;
      first ??= one;
      best = undefined;
    } else if (valid === 0 && (best === undefined || one.matches > best.matches)) best = one;
  }
  if (valid === 1 && first !== undefined) {
    result.merge(first);
    return;
  }
  const found = valid === 0 ? "Found none valid" : `Found ${valid} valid alternatives`;
  result.fail(
    wholeFailure(`${JSON.stringify(path)} must validate one and only one schema (oneOf). ${found}`),
  );
  if (best !== undefined) result.merge(best);
}

function validateAllOf(
  nodes: readonly Node[],
  value: unknown,
  path: string,
  previous: unknown,
  result: Result,
): void {
  let valid = 0;
  for (const node of nodes) {
    const one = resultOf(node, value, path, previous);
    if (one.isValid) valid += 1;
    result.merge(one);
  }
  if (valid === nodes.length) return;
  const none = valid === 0 ? ". None validated" : "";
  result.fail(wholeFailure(`${JSON.stringify(path)} must validate all the schemas (allOf)${none}`));
}

function validateString(node: Node, text: string, path: string, result: Result): void {
  const problem = stringProblem(node, text, path);
  if (problem !== undefined) result.fail(problem);
  result.matches += 1;
  if (node.checksFormat === undefined) return;
  if (!node.checksFormat(text)) result.fail(wrongType(path, node.format ?? "", text));
  result.matches += 1;
}

function stringProblem({ schema, pattern }: Node, text: string, path: string): Failure | undefined {
  const { maxLength, minLength } = schema;
  if (maxLength !== undefined && text.length > maxLength && lengthOf(text) > maxLength) {
    return longerThan(path, maxLength);
  }
  if (minLength !== undefined && lengthOf(text) < minLength) {
    return failure(path, text, `${path} in body should be at least ${minLength} chars long`);
  }
  if (pattern !== undefined && !pattern.test(text)) {
    return failure(path, text, `${path} in body should match '${schema.pattern}'`);
  }
  return undefined;
}

/** Characters as Go counts them: code points. */
function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

function validateNumber(node: Node, value: number | bigint, path: string, result: Result): void {
  const { multipleOf, maximum, exclusiveMaximum, minimum, exclusiveMinimum } = node.schema;
  const tell = (what: string) =>
    result.fail(failure(path, value, `${path} in body should be ${what}`));
  if (multipleOf !== undefined) {
    if (multipleOf <= 0) {
      const factor = goNumber(multipleOf);
      result.fail(
        failure(
          path,
          multipleOf,
          `factor MultipleOf declared for ${path} must be positive: ${factor}`,
        ),
      );
    } else if (!isMultiple(value, multipleOf)) tell(`a multiple of ${goNumber(multipleOf)}`);
  }
  if (maximum !== undefined) {
    if (exclusiveMaximum === true ? value >= maximum : value > maximum) {
      tell(`less than ${exclusiveMaximum === true ? "" : "or equal to "}${goNumber(maximum)}`);
    }
  }
  if (minimum !== undefined) {
    if (exclusiveMinimum === true ? value <= minimum : value < minimum) {
      tell(`greater than ${exclusiveMinimum === true ? "" : "or equal to "}${goNumber(minimum)}`);
    }
  }
  result.matches += 2;
}

function isMultiple(value: number | bigint, factor: number): boolean {
  if (typeof value === "bigint") {
    const whole = BigInt(Math.trunc(factor));
    return whole > 0n && value % whole === 0n;
  }
  if (Number.isInteger(value) && Number.isInteger(factor)) return value % factor === 0;
  const quotient = factor < 1 ? (1 / factor) * value : value / factor;
  const nearest = Math.round(quotient);
  return Math.abs(quotient - nearest) <= 1e-9 * Math.max(1, Math.abs(quotient));
}

function validateList(
  node: Node,
  list: readonly unknown[],
  path: string,
  previous: unknown,
  result: Result,
): void {
  const { minItems, maxItems, uniqueItems } = node.schema;
  if (node.items !== undefined) {
    const earlier = earlierItems(node.schema, list, previous);
    for (let at = 0; at < list.length; at += 1) {
      const before = earlier === undefined ? unrelated : (earlier[at] ?? unrelated);
      validateKnown(node.items, list[at], `${path}[${at}]`, before, result);
    }
  }
  if (minItems !== undefined && list.length < minItems) {
    const message = `${path} in body should have at least ${minItems} items`;
    result.fail(failure(path, list.length, message));
  }
  if (maxItems !== undefined && list.length > maxItems) {
    result.fail(moreThan(path, list.length, maxItems, "items"));
  }
  if (uniqueItems === true && list.some((item, at) => isIn(list, item, at))) {
    result.fail(failure(path, "", `${path} in body shouldn't contain duplicates`));
  }
  result.matches += 2;
}

function isIn(list: readonly unknown[], item: unknown, before: number): boolean {
  for (let at = 0; at < before; at += 1) if (equalJson(list[at], item)) return true;
  return false;
}

/** For each item of a list that is a map by its keys, the item that had these keys before. */
function earlierItems(
  schema: JsonSchema,
  list: readonly unknown[],
  previous: unknown,
): readonly unknown[] | undefined {
  if (schema["x-kubernetes-list-type"] !== "map" || !isJsonList(previous)) return undefined;
  const names = schema["x-kubernetes-list-map-keys"] ?? [];
  const keyOf = (item: unknown) =>
    isJsonObject(item) ? JSON.stringify(names.map((name) => ownValue(item, name) ?? null)) : "";
  const before = new Map<string, unknown>();
  for (const item of previous) {
    const key = keyOf(item);
    if (key !== "" && !before.has(key)) before.set(key, item);
  }
  return list.map((item) => before.get(keyOf(item)));
}

function validateEnum({ schema }: Node, value: unknown, path: string, result: Result): void {
  const { enum: allowed } = schema;
  if (allowed === undefined || allowed.length === 0) return;
  if (allowed.some((each) => equalJson(each, value))) return;
  result.fail(notOneOf(path, value, allowed));
}

function validateObject(
  node: Node,
  object: JsonObject,
  path: string,
  previous: unknown,
  result: Result,
): void {
  const { schema } = node;
  const before = isJsonObject(previous) ? previous : undefined;
  validateSize(schema, object, path, result);
  if (schema.additionalProperties === false) {
    for (const key of Object.keys(object)) {
      if (propertyOf(schema, key) === undefined) {
        result.fail(failure(path, key, `${path}.${key} in body is a forbidden property`));
      }
    }
  } else if (node.values !== undefined) {
    for (const key of Object.keys(object)) {
      if (propertyOf(schema, key) !== undefined) continue;
      const earlier = earlierField(before, key);
      validateKnown(node.values, object[key], `${path}.${key}`, earlier, result);
    }
  }
  for (const [key, property] of node.properties) {
    const held = ownValue(object, key);
    if (held === undefined) continue;
    const isTypeMeta = path === "" && (key === "kind" || key === "apiVersion");
    const earlier = isTypeMeta ? unrelated : earlierField(before, key);
    validateKnown(property, held, path === "" ? key : `${path}.${key}`, earlier, result);
  }
  for (const key of schema.required ?? []) {
    if (ownValue(object, key) === undefined) result.fail(missing(`${path}.${key}`));
  }
  result.matches += 1;
}

function validateSize(schema: JsonSchema, object: JsonObject, path: string, result: Result): void {
  const { minProperties, maxProperties } = schema;
  if (minProperties === undefined && maxProperties === undefined) return;
  const count = Object.keys(object).length;
  if (minProperties !== undefined && count < minProperties) {
    const message = `${path} in body should have at least ${minProperties} properties`;
    result.fail(failure(path, count, message));
  }
  if (maxProperties !== undefined && count > maxProperties) {
    result.fail(moreThan(path, count, maxProperties, "properties"));
  }
}

function earlierField(before: JsonObject | undefined, key: string): unknown {
  const value = before === undefined ? undefined : ownValue(before, key);
  return value === undefined ? unrelated : value;
}
