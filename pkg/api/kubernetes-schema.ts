import { schemaTable } from "./generated/schema-table.generated.ts";
import type { Field, FieldType, ObjectSchema, Schema } from "./schema.ts";

/** A reader of a table as build/schema-table.ts makes it: each definition is read when it is first asked for. */
export function createSchemaReader(
  table: Readonly<Record<string, string>>,
): (definition: string) => ObjectSchema {
  const built = new Map<string, ObjectSchema>();
  const variants = new Map<string, ObjectSchema>();

  function read(definition: string): ObjectSchema {
    const known = built.get(definition);
    if (known !== undefined) return known;
    if (!Object.hasOwn(table, definition)) {
      throw new Error(`${definition} is no type of the Kubernetes API that mini8s knows`);
    }
    const schema = readDefinition(definition, table[definition] ?? "", reference);
    built.set(definition, schema);
    return schema;
  }

  /** A field may say of the object in it that it is applied granularly or atomically, against the definition. */
  function reference(text: string): ObjectSchema {
    const mark = text.at(-1);
    if (mark !== "!" && mark !== "~") return read(text);
    const known = variants.get(text);
    if (known !== undefined) return known;
    const variant = { ...read(text.slice(0, -1)), atomic: mark === "!" };
    variants.set(text, variant);
    return variant;
  }

  return read;
}

/** The schema of a built-in type, by the name of its OpenAPI definition; one value, however often it is asked for. */
export const kubernetesObjectSchema = createSchemaReader(schemaTable);

/** The schema of a built-in type as a `T`. */
export function kubernetesSchema<T>(definition: string): Schema<T> {
  return {
    name: definition,
    get object() {
      return kubernetesObjectSchema(definition);
    },
  };
}

/** Finds what a field of an object type refers to. */
type Reference = (text: string) => ObjectSchema;

/** The names of all built-in definitions, sorted. */
export function kubernetesDefinitions(): readonly string[] {
  return Object.keys(schemaTable);
}

function readDefinition(name: string, text: string, reference: Reference): ObjectSchema {
  const lines = text === "" ? [] : text.split("\n");
  const atomic = lines[0] === "!atomic";
  const fields = new Map<string, Field>();
  for (const line of atomic ? lines.slice(1) : lines) {
    const field = readField(line, reference);
    fields.set(field.name, field);
  }
  const goType = name.slice(name.lastIndexOf(".") + 1);
  return { name, goType, fields, atomic, preserveUnknown: false };
}

function readField(line: string, reference: Reference): Field {
  const [name = "", type = "", ...attributes] = line.split(" ");
  const values = new Map<string, string>();
  for (const attribute of attributes) {
    const equals = attribute.indexOf("=");
    if (equals === -1) values.set(attribute, "");
    else values.set(attribute.slice(0, equals), attribute.slice(equals + 1));
  }
  const zero = values.get("zero");
  return {
    name,
    type: readType(type, reference),
    required: values.has("required"),
    zeroValue: zero === undefined ? undefined : JSON.parse(zero),
    keepsEmpty: values.has("keep"),
    goType: values.get("go") ?? goTypeOf(type),
    patchMergeKey: values.get("merge"),
    patchStrategy: (values.get("strategy")?.split(",") ?? []) as Field["patchStrategy"],
    protobuf: readPlace(values.get("pb")),
  };
}

function readPlace(place: string | undefined): Field["protobuf"] {
  if (place === undefined) return undefined;
  const colon = place.indexOf(":");
  const numbers = place.slice(0, colon).split(".").map(Number);
  const number = numbers.at(-1) ?? 0;
  return { number, type: place.slice(colon + 1), within: numbers.slice(0, -1) };
}

function readType(text: string, reference: Reference): FieldType {
  if (text.startsWith("&")) return { kind: "object", schema: () => reference(text.slice(1)) };
  if (text.startsWith("{")) {
    const end = text.indexOf("}");
    return {
      kind: "map",
      value: readType(text.slice(end + 1), reference),
      atomic: text.startsWith("{!}"),
    };
  }
  if (text.startsWith("[")) {
    const end = text.indexOf("]");
    return { ...readListType(text.slice(1, end)), item: readType(text.slice(end + 1), reference) };
  }
  if (text.startsWith("string(")) {
    return { kind: "string", enum: text.slice("string(".length, -1).split(",") };
  }
  return scalarType(text);
}

function readListType(text: string): Omit<FieldType & { kind: "list" }, "item"> {
  if (text.startsWith("map:")) {
    return { kind: "list", listType: "map", mapKeys: text.slice("map:".length).split(",") };
  }
  return { kind: "list", listType: text === "set" ? "set" : "atomic", mapKeys: [] };
}

function scalarType(text: string): FieldType {
  switch (text) {
    case "int32":
      return { kind: "integer", bits: 32 };
    case "int64":
      return { kind: "integer", bits: 64 };
    case "double":
      return { kind: "number" };
    case "string":
    case "bytes":
    case "time":
    case "micro-time":
    case "duration":
    case "boolean":
    case "int-or-string":
    case "quantity":
    case "any":
      return { kind: text };
    default:
      throw new Error(`the schema table has no type ${JSON.stringify(text)}`);
  }
}

/** The Go type of a field where the table names none, as reflection prints it. */
function goTypeOf(text: string): string {
  if (text.startsWith("&"))
    return text.slice(1).replace(/[!~]$/, "").split(".").slice(-2).join(".");
  if (text.startsWith("{")) return `map[string]${goTypeOf(text.slice(text.indexOf("}") + 1))}`;
  if (text.startsWith("[")) return `[]${goTypeOf(text.slice(text.indexOf("]") + 1))}`;
  const scalar = text.replace(/\(.*$/, "");
  const named: Readonly<Record<string, string>> = {
    boolean: "bool",
    double: "float64",
    bytes: "[]uint8",
  };
  return named[scalar] ?? scalar;
}

/** The definition of a kind, e.g. of `apps/v1` `Deployment`; undefined where it is none of the built-in ones. */
export function kubernetesDefinitionOf(apiVersion: string, kind: string): string | undefined {
  const slash = apiVersion.indexOf("/");
  const group = slash === -1 ? "" : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  const candidates = [
    `io.k8s.api.${group === "" ? "core" : group.slice(0, `${group}.`.indexOf("."))}.${version}.${kind}`,
    `io.k8s.apimachinery.pkg.apis.meta.${version}.${kind}`,
    `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.${version}.${kind}`,
    `io.k8s.kube-aggregator.pkg.apis.apiregistration.${version}.${kind}`,
  ];
  return candidates.find((name) => Object.hasOwn(schemaTable, name));
}
