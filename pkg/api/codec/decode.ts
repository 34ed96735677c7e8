import { ApiError } from "../api-error.ts";
import { draftOf } from "../draft.ts";
import type { Draft } from "../object.ts";
import { canonicalQuantity, QuantityError } from "../quantity.ts";
import type { Field, FieldType, ObjectSchema, Schema } from "../schema.ts";
import { canonicalMicroTime, canonicalTime, TimeError } from "./go-time.ts";
import { type DuplicateKeys, setOwn } from "./json-parser.ts";

/** What becomes of unknown and doubled fields: dropped, dropped with a warning, refused. */
export type FieldValidation = "Ignore" | "Warn" | "Strict";

export interface DecodeOptions {
  /** Default: "Ignore". */
  readonly fieldValidation?: FieldValidation;
  /** From `parseJson`. */
  readonly duplicates?: DuplicateKeys | undefined;
  /** What else is wrong with the text, though it could be read (doubled keys in YAML). */
  readonly strictErrors?: readonly string[];
  /** Default: a BadRequest about a body of that kind. */
  readonly refuse?: ((misfit: Misfit) => ApiError) | undefined;
}

/** Why a value is no object of its kind: in the words of Go's JSON decoder, and in those of its converter of maps. */
export interface Misfit {
  readonly json: string;
  readonly converter: string;
}

export interface Decoded<T> {
  /** Shares nothing with what it was decoded from. */
  readonly object: Draft<T>;
  readonly warnings: readonly string[];
}

/** The value cannot be a `T`. The message is that of Go's JSON decoder. */
class DecodeError extends Error {
  /** What the converter of maps says, where it says something else. */
  readonly converter: string;

  constructor(message: string, options: ErrorOptions & { readonly converter?: string } = {}) {
    super(message, options);
    this.converter = options.converter ?? message;
  }
}

/** Like upstream, no more than this many unknown and doubled fields are told. */
const strictErrorsMax = 100;

/**
 * A value as clients send it becomes an object as it is stored: unknown fields, nulls and empty values that mean
 * nothing are gone; quantities, times and base64 are in their one form; what Go always writes is there.
 * Throws a BadRequest in upstream's words, or what `refuse` gives, where the value does not fit the type.
 */
export function decodeObject<T>(
  schema: Schema<T>,
  value: unknown,
  options: DecodeOptions = {},
): Decoded<T> {
  const decoder = new Decoder(options);
  const refuse = options.refuse ?? (({ json }: Misfit) => cannotBeHandled(schema, value, json));
  let object: unknown;
  try {
    object = decoder.root(schema.object, value);
  } catch (caught) {
    if (!(caught instanceof DecodeError)) throw caught;
    throw refuse({ json: caught.message, converter: caught.converter });
  }
  const errors = [...new Set([...(options.strictErrors ?? []), ...decoder.strictErrors])];
  if (options.fieldValidation === "Strict" && errors.length > 0) {
    const why = `strict decoding error: ${errors.join(", ")}`;
    throw refuse({ json: why, converter: why });
  }
  const warnings = options.fieldValidation === "Warn" ? errors : [];
  return { object: object as Draft<T>, warnings };
}

/** The refusal of a body whose kind is known: what the data says of itself, and what it should have been. */
function cannotBeHandled<T>(schema: Schema<T>, value: unknown, why: string): ApiError {
  const wanted = schema.object.goType;
  const said = typeof value === "object" && value !== null ? (value as Said) : {};
  const kind = typeof said.kind === "string" && said.kind !== "" ? said.kind : wanted;
  const apiVersion = typeof said.apiVersion === "string" ? said.apiVersion : "";
  const version = apiVersion.slice(apiVersion.indexOf("/") + 1) || versionOf(schema.name);
  return new ApiError(
    "BadRequest",
    `${kind} in version "${version}" cannot be handled as a ${wanted}: ${why}`,
  );
}

interface Said {
  readonly kind?: unknown;
  readonly apiVersion?: unknown;
}

function versionOf(definition: string): string {
  return definition.split(".").at(-2) ?? "";
}

type Plain = Readonly<Record<string, unknown>>;

/** One walk over one value. The stacks say where it is, for messages. */
class Decoder {
  readonly strictErrors: string[] = [];
  private readonly strict: boolean;
  private readonly duplicates: DuplicateKeys | undefined;
  /** Go's idea of the place: fields of structs only. */
  private readonly fieldStack: string[] = [];
  /** The whole place: fields, keys of maps, indexes. */
  private readonly path: (string | number)[] = [];
  private struct = "";

  constructor(options: DecodeOptions) {
    this.strict = options.fieldValidation === "Warn" || options.fieldValidation === "Strict";
    this.duplicates = this.strict ? options.duplicates : undefined;
  }

  root(schema: ObjectSchema, value: unknown): Record<string, unknown> {
    if (!isObject(value)) {
      throw new DecodeError(
        `json: cannot unmarshal ${describe(value)} into Go value of type ${qualified(schema)}`,
      );
    }
    return this.object(schema, value);
  }

  private object(schema: ObjectSchema, value: Plain): Record<string, unknown> {
    const outerStruct = this.struct;
    this.struct = schema.goType;
    const result: Record<string, unknown> = {};
    const doubled = this.duplicates?.get(value);
    const { fields, preserveUnknown } = schema;
    let seen = 0;
    for (const key of Object.keys(value)) {
      const field = fields.get(key);
      const held = value[key];
      if (field === undefined) {
        if (preserveUnknown) setOwn(result, key, draftOf(held));
        else if (this.strict) this.report("unknown", key);
      } else if (held !== null && held !== undefined) {
        this.fieldStack.push(key);
        this.path.push(key);
        const decoded = this.value(field.type, held, field.goType);
        this.path.pop();
        this.fieldStack.pop();
        if (field.keepsEmpty || !isEmpty(decoded, field.type)) result[key] = decoded;
      }
      seen += 1;
      if (doubled !== undefined) {
        for (const { key: again, after } of doubled) {
          if (after === seen && fields.has(again)) this.report("duplicate", again);
        }
      }
    }
    for (const field of zeroFieldsOf(schema)) {
      if (result[field.name] === undefined) result[field.name] = this.zero(field);
    }
    this.struct = outerStruct;
    return result;
  }

  /** An embedded struct that was not sent is written all the same, with the zeros in it. */
  private zero(field: Field): unknown {
    if (field.type.kind !== "object") return field.zeroValue;
    return this.object(field.type.schema(), noFields);
  }

  private value(type: FieldType, value: unknown, goType: string): unknown {
    switch (type.kind) {
      case "string":
        return typeof value === "string" ? value : this.mismatch(type, value, goType);
      case "boolean":
        return typeof value === "boolean" ? value : this.mismatch(type, value, goType);
      case "integer":
        return this.integer(type, value, goType);
      case "number":
        return typeof value === "number" ? value : this.mismatch(type, value, goType);
      case "bytes":
        return typeof value === "string"
          ? canonicalBase64(value)
          : this.mismatch(type, value, goType);
      case "time":
        return time(value, canonicalTime);
      case "micro-time":
        return time(value, canonicalMicroTime);
      case "duration":
        return duration(value);
      case "quantity":
        return quantity(value);
      case "int-or-string":
        return intOrString(value);
      case "any":
        return draftOf(value);
      case "object":
        if (!isObject(value)) return this.mismatch(type, value, goType);
        return this.object(type.schema(), value);
      case "map":
        if (!isObject(value)) return this.mismatch(type, value, goType);
        return this.map(type, value, goType);
      case "list":
        if (!Array.isArray(value)) return this.mismatch(type, value, goType);
        return this.list(type, value, goType);
    }
  }

  private integer(
    type: FieldType & { kind: "integer" },
    value: unknown,
    goType: string,
  ): number | bigint {
    const { bits } = type;
    if (typeof value === "bigint") {
      return bits === 64
        ? value
        : this.fail(`number ${value}`, goType, "cannot convert int64 to int32");
    }
    if (typeof value !== "number") return this.mismatch(type, value, goType);
    const max = bits === 32 ? 2 ** 31 : 2 ** 63;
    const fits = Number.isInteger(value) && value >= -max && value < max;
    if (fits) return value;
    const source = Number.isInteger(value) ? "int64" : "float64";
    return this.fail(`number ${value}`, goType, `cannot convert ${source} to int${bits}`);
  }

  private map(type: FieldType & { kind: "map" }, value: Plain, goType: string): object {
    const itemGoType = goType.startsWith("map[string]")
      ? goType.slice("map[string]".length)
      : plainGoType(type.value);
    const result: Record<string, unknown> = {};
    const doubled = this.duplicates?.get(value);
    let seen = 0;
    for (const key of Object.keys(value)) {
      const held = value[key];
      seen += 1;
      if (held === undefined) continue;
      this.path.push(key);
      const decoded =
        held === null ? this.zeroOf(type.value) : this.value(type.value, held, itemGoType);
      this.path.pop();
      setOwn(result, key, decoded);
      if (doubled !== undefined) {
        for (const { key: again, after } of doubled) {
          if (after === seen) this.report("duplicate", again);
        }
      }
    }
    return result;
  }

  private list(type: FieldType & { kind: "list" }, value: readonly unknown[], goType: string) {
    const itemGoType = goType.startsWith("[]") ? goType.slice(2) : plainGoType(type.item);
    const result: unknown[] = [];
    for (let index = 0; index < value.length; index += 1) {
      const held = value[index];
      this.path.push(index);
      result.push(
        held === null || held === undefined
          ? this.zeroOf(type.item)
          : this.value(type.item, held, itemGoType),
      );
      this.path.pop();
    }
    return result;
  }

  /** What Go makes of a null in a list or a map. */
  private zeroOf(type: FieldType): unknown {
    switch (type.kind) {
      case "string":
      case "bytes":
        return "";
      case "boolean":
        return false;
      case "integer":
      case "number":
      case "int-or-string":
        return 0;
      case "quantity":
        return "0";
      case "duration":
        return "0s";
      case "object":
        return this.object(type.schema(), noFields);
      case "map":
        return {};
      case "list":
        return [];
      case "any":
      case "time":
      case "micro-time":
        return null;
    }
  }

  private report(what: "unknown" | "duplicate", key: string): void {
    if (this.strictErrors.length >= strictErrorsMax) return;
    this.path.push(key);
    this.strictErrors.push(`${what} field "${printPath(this.path)}"`);
    this.path.pop();
  }

  private mismatch(type: FieldType, value: unknown, goType: string): never {
    return this.fail(describe(value), goType, converterMismatch(type, value));
  }

  private fail(what: string, goType: string, converter: string): never {
    const place = `${this.struct}.${this.fieldStack.join(".")}`;
    throw new DecodeError(
      `json: cannot unmarshal ${what} into Go struct field ${place} of type ${goType}`,
      { converter },
    );
  }
}

const noFields: Plain = Object.freeze({});

const zeroFields = new WeakMap<ObjectSchema, readonly Field[]>();

function zeroFieldsOf(schema: ObjectSchema): readonly Field[] {
  const known = zeroFields.get(schema);
  if (known !== undefined) return known;
  const fields = [...schema.fields.values()].filter((field) => field.zeroValue !== undefined);
  zeroFields.set(schema, fields);
  return fields;
}

function isObject(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What Go's `omitempty` leaves out. Structs are never empty to Go. */
function isEmpty(value: unknown, type: FieldType): boolean {
  if (value === "" || value === 0 || value === false) {
    return type.kind !== "quantity" && type.kind !== "any";
  }
  if (type.kind === "list") return (value as readonly unknown[]).length === 0;
  if (type.kind === "map") return !hasKeys(value as object);
  return false;
}

function hasKeys(object: object): boolean {
  for (const _ in object) return true;
  return false;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return "array";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "number";
    case "object":
      return value === null ? "null" : "object";
    default:
      return typeof value;
  }
}

/** What Go's converter says of a decoded value that cannot become of a type. */
function converterMismatch(type: FieldType, value: unknown): string {
  const source = reflectKind(value);
  switch (type.kind) {
    case "object":
      return `cannot restore struct from: ${source}`;
    case "map":
      return `cannot restore map from ${source}`;
    case "list":
    case "bytes":
      return `cannot restore slice from ${source}`;
    case "integer":
      return `unrecognized type: int${type.bits}`;
    case "boolean":
      return "unrecognized type: bool";
    case "number":
      return "unrecognized type: float64";
    default:
      return source === "int64" ? "cannot convert int64 to string" : "unrecognized type: string";
  }
}

/** The kind of a decoded JSON value as Go's reflection names it. */
function reflectKind(value: unknown): string {
  if (Array.isArray(value)) return "slice";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int64";
    case "number":
      return Number.isInteger(value) ? "int64" : "float64";
    case "object":
      return "map";
    default:
      return typeof value;
  }
}

function qualified(schema: ObjectSchema): string {
  return schema.name.split(".").slice(-2).join(".");
}

/** For an item of a list or map whose Go type has a name of its own. */
function plainGoType(type: FieldType): string {
  switch (type.kind) {
    case "object":
      return qualified(type.schema());
    case "integer":
      return type.bits === 32 ? "int32" : "int64";
    case "boolean":
      return "bool";
    case "number":
      return "float64";
    case "list":
      return `[]${plainGoType(type.item)}`;
    case "map":
      return `map[string]${plainGoType(type.value)}`;
    case "bytes":
      return "[]uint8";
    default:
      return "string";
  }
}

/** As in `spec.containers[0].name`. */
function printPath(path: readonly (string | number)[]): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

function time(value: unknown, canonical: (text: string) => string): string {
  if (typeof value !== "string") throw notAGoValue(value, "string");
  try {
    return canonical(value);
  } catch (caught) {
    if (caught instanceof TimeError) throw new DecodeError(caught.message, { cause: caught });
    throw caught;
  }
}

function duration(value: unknown): string {
  if (typeof value !== "string") throw notAGoValue(value, "string");
  if (!/^[-+]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(value)) {
    throw new DecodeError(`time: invalid duration ${JSON.stringify(value)}`);
  }
  return value;
}

function quantity(value: unknown): string {
  const text = typeof value === "string" ? value.trim() : JSON.stringify(value);
  try {
    return canonicalQuantity(text);
  } catch (caught) {
    if (caught instanceof QuantityError) throw new DecodeError(caught.message, { cause: caught });
    throw caught;
  }
}

function intOrString(value: unknown): number | string {
  if (typeof value === "string") return value;
  if (typeof value !== "number") throw notAGoValue(value, "int32");
  if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 31) {
    throw new DecodeError(`json: cannot unmarshal number ${value} into Go value of type int32`);
  }
  return value;
}

function notAGoValue(value: unknown, goType: string): DecodeError {
  return new DecodeError(
    `json: cannot unmarshal ${describe(value)} into Go value of type ${goType}`,
  );
}

const base64Text = /^[A-Za-z0-9+/]*={0,2}$/;

/** Standard base64 without line breaks; Go's reader skips those. */
function canonicalBase64(text: string): string {
  const joined = /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, "") : text;
  const fits = joined.length % 4 === 0 && base64Text.test(joined);
  if (!fits) throw new DecodeError(`illegal base64 data at input byte ${badByteOf(text)}`);
  return joined.endsWith("=") ? Buffer.from(joined, "base64").toString("base64") : joined;
}

/** The place of the first byte that Go's decoder stumbles over. */
function badByteOf(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? "";
    if (char === "\r" || char === "\n") continue;
    const isPadding = char === "=" && count % 4 >= 2;
    if (isPadding) return afterPadding(text, at, count);
    if (!/[A-Za-z0-9+/]/.test(char)) return at;
    count += 1;
  }
  return text.length - (count % 4);
}

/** Padding was reached in place: something is wrong behind it, or it is too short. */
function afterPadding(text: string, at: number, count: number): number {
  const rest = text.slice(at + 1).replace(/^[\r\n]+/, "");
  const wanted = count % 4 === 2 ? "=" : "";
  if (wanted !== "" && !rest.startsWith(wanted)) return rest === "" ? text.length : at + 1;
  return at + 1 + wanted.length;
}
