/**
 * The built-in types, one line per field, out of build/kubernetes: definitions-*.json.gz, protobuf-*.json.gz and
 * go-types-*.json.gz (for each field, the type of Kubernetes' Go struct field and its `omitempty`).
 *
 * A line is `name type` and then, where they apply:
 *   required            the field must be there
 *   zero=<JSON>         what a decoded object holds where the field was not sent
 *   merge=<key>         patchMergeKey
 *   strategy=<a,b>      patchStrategy
 *   keep                an empty value is kept: Go holds a pointer, or always writes the field
 *   go=<type>           the Go type, where it is not the obvious one
 *   pb=<n>:<type>       protobuf field number and type
 *   pb=<m>.<n>:<type>   the same within the embedded message m: inlined in JSON, but not in protobuf
 * and a type is one of
 *   string bytes time micro-time duration int32 int64 double boolean int-or-string quantity any
 *   string(a,b)         an enum
 *   &<definition>       an object; `&<definition>~` and `&<definition>!`: applied granularly, atomically, whatever
 *                       the definition itself says
 *   {}<type> {!}<type>  a map, an atomic map
 *   []<type>            an atomic list; [set]<type> a set, [map:a,b]<type> a list keyed by a and b
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

interface Definition {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly items?: Definition;
  readonly additionalProperties?: Definition;
  readonly properties?: Readonly<Record<string, Definition>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: "atomic" | "granular";
  readonly "x-kubernetes-patch-merge-key"?: string;
  readonly "x-kubernetes-patch-strategy"?: string;
}

/** number, name, type, label */
type Message = readonly (readonly [number, string, string, string])[];

const here = import.meta.dirname;

interface Inputs {
  readonly definitions: Readonly<Record<string, Definition>>;
  readonly messages: Readonly<Record<string, Message>>;
  /** Of each field: the Go type, and then its `omitempty`. */
  readonly types: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

function readInput(file: string): Inputs {
  const bytes = readFileSync(join(here, "kubernetes", file));
  return JSON.parse((file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString()) as Inputs;
}

/** The aggregator's own kind, which the libraries of the API do not have. */
const aggregator = readInput("apiregistration.json");

const definitions = {
  ...readInput("definitions-1.36.4.json.gz").definitions,
  ...aggregator.definitions,
};
const messages = { ...readInput("protobuf-1.36.4.json.gz").messages, ...aggregator.messages };
const goTypes = { ...readInput("go-types-1.36.4.json.gz").types, ...aggregator.types };

/** Types that are written as one JSON value, whatever Go makes of them. */
const scalars: Readonly<Record<string, string>> = {
  "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "micro-time",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Duration": "duration",
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
  "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "any",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "any",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "any",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "any",
};

function refName(ref: string): string {
  return ref.replace("#/definitions/", "");
}

function typeOf(definition: Definition, field: string): string {
  if (definition.$ref !== undefined) {
    const name = refName(definition.$ref);
    const mapType = definition["x-kubernetes-map-type"];
    const override = mapType === undefined ? "" : mapType === "atomic" ? "!" : "~";
    return scalars[name] ?? `&${name}${override}`;
  }
  switch (definition.type) {
    case "string":
      if (definition.format === "byte") return "bytes";
      return definition.enum === undefined ? "string" : `string(${definition.enum.join(",")})`;
    case "integer":
      return definition.format === "int32" ? "int32" : "int64";
    case "number":
      return "double";
    case "boolean":
      return "boolean";
    case "array":
      return `${listOf(definition)}${typeOf(definition.items ?? {}, field)}`;
    case "object":
      if (definition.additionalProperties === undefined) return "any";
      return `${definition["x-kubernetes-map-type"] === "atomic" ? "{!}" : "{}"}${typeOf(definition.additionalProperties, field)}`;
    default:
      throw new Error(`${field}: no type for ${JSON.stringify(definition)}`);
  }
}

/** With no list type, a list that strategic merge patch merges is keyed by the merge key, or a set; others are atomic. */
function listOf(definition: Definition): string {
  const listType = definition["x-kubernetes-list-type"];
  const mergeKey = definition["x-kubernetes-patch-merge-key"];
  const merges = definition["x-kubernetes-patch-strategy"]?.split(",").includes("merge") === true;
  if (listType === "map") return `[map:${definition["x-kubernetes-list-map-keys"]?.join(",")}]`;
  if (listType === "set") return "[set]";
  if (listType === "atomic" || !merges) return "[]";
  return mergeKey === undefined ? "[set]" : `[map:${mergeKey}]`;
}

interface GoField {
  readonly type: string;
  readonly pointer: boolean;
  readonly omitempty: boolean;
}

function goFieldOf(name: string, field: string): GoField {
  const [type, ...options] = goTypes[name]?.[field]?.split(" ") ?? [];
  if (type === undefined) throw new Error(`${name}.${field}: its Go type is not known`);
  return {
    type: type.replace("*", ""),
    pointer: type.startsWith("*"),
    omitempty: options.includes("omitempty"),
  };
}

const zeros: Readonly<Record<string, string>> = {
  string: '""',
  int32: "0",
  int64: "0",
  double: "0",
  boolean: "false",
  "int-or-string": "0",
};

/** What Go writes though nothing was sent. A default that is no zero counts, too. */
function zeroOf(definition: Definition, type: string, go: GoField): string | undefined {
  const value = definition.default;
  const isZero = [undefined, "", 0, false].includes(value as undefined);
  if (!isZero && typeof value !== "object") return JSON.stringify(value);
  if (go.pointer) return undefined;
  if (type.startsWith("&")) return "{}";
  if (type === "quantity") return '"0"';
  return go.omitempty ? undefined : zeros[type.replace(/\(.*$/, "")];
}

/** The Go type that a reader of the table assumes, as reflection prints it. */
function obviousGoType(type: string): string {
  if (type.startsWith("&"))
    return type.slice(1).replace(/[!~]$/, "").split(".").slice(-2).join(".");
  if (type.startsWith("{")) return `map[string]${obviousGoType(type.slice(type.indexOf("}") + 1))}`;
  if (type.startsWith("[")) return `[]${obviousGoType(type.slice(type.indexOf("]") + 1))}`;
  const scalar = type.replace(/\(.*$/, "");
  return { boolean: "bool", double: "float64", bytes: "[]uint8" }[scalar] ?? scalar;
}

/** The name of a definition's message, whether there is one or not. */
function messageNameOf(definition: string): string {
  return definition
    .replace(/^io\.k8s\./, "k8s.io.")
    .replace("apiextensions-apiserver", "apiextensions_apiserver")
    .replace("kube-aggregator", "kube_aggregator");
}

/** Field names differ in the case of their first letters (`aPIGroup`), and in `$ref`, `x-kubernetes-…`. */
function plain(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, "").toLowerCase();
}

/** Go embeds these structs: their fields are inlined in JSON, and stand in a message of their own in protobuf. */
const inlined = new Set([
  "volumeSource",
  "persistentVolumeSource",
  "localObjectReference",
  "handler",
  "ephemeralContainerCommon",
  "rule",
  "ruleWithOperations",
  "ingressRuleValue",
  "deviceConfiguration",
]);

/** The place of each JSON field on the wire, by its plain name; undefined where there is no such message. */
function wirePlaces(
  messageName: string,
  properties: ReadonlySet<string>,
  prefix = "",
): Map<string, string> | undefined {
  const message = messages[messageName];
  if (message === undefined) return undefined;
  const places = new Map<string, string>();
  for (const [number, name, type] of message) {
    if (!properties.has(plain(name)) && inlined.has(name)) {
      // A message of another package is named in full, `.k8s.io.api…`.
      const inner = type.startsWith(".")
        ? type.slice(1)
        : `${messageName.slice(0, messageName.lastIndexOf("."))}.${type}`;
      const within = wirePlaces(inner, properties, `${prefix}${number}.`);
      if (within === undefined) throw new Error(`${messageName}.${name}: no message ${inner}`);
      for (const [key, place] of within) places.set(key, place);
    } else {
      places.set(
        plain(name),
        `${prefix}${number}:${type.replace(/\.?k8s\.io[\w.]*\.(?=[A-Z])/, "")}`,
      );
    }
  }
  return places;
}

const typeMeta = new Set(["apiVersion", "kind"]);

function linesOf(name: string, definition: Definition): string[] {
  const properties = definition.properties ?? {};
  const places = wirePlaces(messageNameOf(name), new Set(Object.keys(properties).map(plain)));
  return Object.entries(properties).map(([field, property]) => {
    const type = typeOf(property, `${name}.${field}`);
    const required = definition.required?.includes(field) === true;
    const place = places?.get(plain(field));
    if (places !== undefined && place === undefined && !typeMeta.has(field)) {
      throw new Error(`${name}.${field} has no protobuf field`);
    }
    const go = goFieldOf(name, field);
    const zero = zeroOf(property, type, go);
    return [
      `${field} ${type}`,
      required ? " required" : "",
      zero === undefined ? "" : ` zero=${zero}`,
      go.pointer || !go.omitempty ? " keep" : "",
      go.type.replace("[]byte", "[]uint8") === obviousGoType(type) ? "" : ` go=${go.type}`,
      property["x-kubernetes-patch-merge-key"] === undefined
        ? ""
        : ` merge=${property["x-kubernetes-patch-merge-key"]}`,
      property["x-kubernetes-patch-strategy"] === undefined
        ? ""
        : ` strategy=${property["x-kubernetes-patch-strategy"]}`,
      place === undefined ? "" : ` pb=${place}`,
    ].join("");
  });
}

/** The lines of each type whose name is kept, by the definition's name, sorted. */
export function schemaTableOf(isKept: (definition: string) => boolean): Record<string, string> {
  const table: Record<string, string> = {};
  for (const name of Object.keys(definitions).sort()) {
    if (scalars[name] !== undefined || !isKept(name)) continue;
    const definition = definitions[name] ?? {};
    const lines = linesOf(name, definition);
    if (definition["x-kubernetes-map-type"] === "atomic") lines.unshift("!atomic");
    table[name] = lines.join("\n");
  }
  return table;
}
