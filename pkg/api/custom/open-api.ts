import { type OpenApiForm, openApiReference } from "../openapi-schema.ts";
import { itemsOf, type JsonSchema, valuesOf } from "./json-schema.ts";

type Json = Readonly<Record<string, unknown>>;

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

const apiVersionDescription =
  "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
const kindDescription =
  "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
const metadataDescription =
  "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/** The OpenAPI definition of a custom resource: its own schema, with what every resource has. `refer` is told what else it needs. */
export function customOpenApi(
  schema: JsonSchema,
  form: OpenApiForm,
  refer: (definition: string) => void,
): Json {
  const keepsUnknown = schema["x-kubernetes-preserve-unknown-fields"] === true;
  // Older clients would refuse every field that is not named beside these.
  if (form.version === 2 && keepsUnknown) return { type: "object" };
  const written = write(schema, form, refer);
  return { ...written, properties: { ...propertiesOf(written), ...resourceFields(form, refer) } };
}

function propertiesOf(definition: Json): Json {
  const { properties } = definition;
  return typeof properties === "object" && properties !== null ? { ...properties } : {};
}

function resourceFields(form: OpenApiForm, refer: (definition: string) => void): Json {
  refer(meta);
  const reference = openApiReference(meta, form.version);
  return {
    apiVersion: { description: apiVersionDescription, type: "string" },
    kind: { description: kindDescription, type: "string" },
    metadata:
      form.version === 2
        ? { description: metadataDescription, ...reference }
        : { description: metadataDescription, allOf: [reference] },
  };
}

/** Neither says anything about a value. */
const left: ReadonlySet<string> = new Set(["$schema", "id"]);
const junctors: ReadonlySet<string> = new Set(["allOf", "anyOf", "oneOf", "not"]);

function write(schema: JsonSchema, form: OpenApiForm, refer: (definition: string) => void): Json {
  const simple = form.version === 2 ? simplified(schema) : schema;
  const written: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(simple)) {
    if (!left.has(key)) written[key] = value;
  }
  const items = itemsOf(simple);
  if (items !== undefined) written["items"] = write(items, form, refer);
  const values = valuesOf(simple);
  if (values !== undefined) written["additionalProperties"] = write(values, form, refer);
  if (simple.properties !== undefined) {
    written["properties"] = Object.fromEntries(
      Object.entries(simple.properties).map(([key, each]) => [key, write(each, form, refer)]),
    );
  }
  if (schema["x-kubernetes-embedded-resource"] === true) embed(written, schema, form, refer);
  return written;
}

function embed(
  written: Record<string, unknown>,
  schema: JsonSchema,
  form: OpenApiForm,
  refer: (definition: string) => void,
): void {
  if (form.version === 2 && schema["x-kubernetes-preserve-unknown-fields"] === true) return;
  written["properties"] = { ...propertiesOf(written), ...resourceFields(form, refer) };
  const required = schema.required ?? [];
  const missing = ["kind", "apiVersion"].filter((key) => !required.includes(key));
  written["required"] = [...required, ...missing];
}

/** What version 2 of OpenAPI, and the clients that read it, can make something of. */
function simplified(schema: JsonSchema): JsonSchema {
  const simple: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (!junctors.has(key)) simple[key] = value;
  }
  const keepsUnknown = schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (schema.nullable === true) {
    delete simple["type"];
    delete simple["nullable"];
  }
  if (schema.nullable === true || keepsUnknown) {
    delete simple["items"];
    delete simple["properties"];
  }
  if (simple["type"] === "array" && simple["items"] === undefined) delete simple["type"];
  if (keepsUnknown && simple["type"] === "object") delete simple["type"];
  const required = (schema.required ?? []).filter(
    (key) => schema.properties?.[key]?.nullable !== true,
  );
  if (required.length === 0 || valuesOf(schema)?.nullable === true) delete simple["required"];
  else simple["required"] = required;
  return simple;
}
