import { kubernetesObjectSchema } from "../kubernetes-schema.ts";
import type { Field, FieldType, ObjectSchema } from "../schema.ts";
import { itemsOf, type JsonSchema, valuesOf } from "./json-schema.ts";

const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

const anyType: FieldType = { kind: "any" };

/** The type of a custom resource: what patches, ownership of fields and OpenAPI read of any kind. */
export function customObjectSchema(name: string, kind: string, schema: JsonSchema): ObjectSchema {
  const own = objectFields(schema, name);
  return {
    name,
    goType: kind,
    fields: new Map([...own, ...resourceOwnFields()]),
    atomic: schema["x-kubernetes-map-type"] === "atomic",
    preserveUnknown: keepsUnknown(schema) || own.size === 0,
    structural: schema,
  };
}

function keepsUnknown(schema: JsonSchema): boolean {
  return schema["x-kubernetes-preserve-unknown-fields"] === true;
}

function objectFields(schema: JsonSchema, name: string): ReadonlyMap<string, Field> {
  const fields = new Map<string, Field>();
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    fields.set(key, fieldOf(key, typeOf(property, `${name}.${key}`)));
  }
  return fields;
}

/** What every resource has, whatever its schema says of it. */
function resourceOwnFields(): ReadonlyMap<string, Field> {
  return new Map([
    ["apiVersion", fieldOf("apiVersion", { kind: "string" })],
    ["kind", fieldOf("kind", { kind: "string" })],
    [
      "metadata",
      {
        ...fieldOf("metadata", {
          kind: "object",
          schema: () => kubernetesObjectSchema(objectMeta),
        }),
        zeroValue: {},
      },
    ],
  ]);
}

function fieldOf(name: string, type: FieldType, zeroValue?: unknown): Field {
  return {
    name,
    type,
    required: false,
    zeroValue,
    keepsEmpty: true,
    goType: "",
    patchMergeKey: undefined,
    patchStrategy: [],
    protobuf: undefined,
  };
}

function typeOf(schema: JsonSchema, name: string, keys: readonly string[] = []): FieldType {
  if (schema["x-kubernetes-int-or-string"] === true) return { kind: "int-or-string" };
  switch (schema.type) {
    case "string":
    case "boolean":
    case "number":
      return { kind: schema.type };
    case "integer":
      return { kind: "integer", bits: 64 };
    case "array":
      return listType(schema, name);
    case "object":
      return objectType(schema, name, keys);
    default:
      return schema.properties === undefined ? anyType : objectType(schema, name, keys);
  }
}

function listType(schema: JsonSchema, name: string): FieldType {
  const items = itemsOf(schema);
  const said = schema["x-kubernetes-list-type"];
  const mapKeys = schema["x-kubernetes-list-map-keys"] ?? [];
  return {
    kind: "list",
    item: items === undefined ? anyType : typeOf(items, `${name}.items`, mapKeys),
    listType: said === "set" || said === "map" ? said : "atomic",
    mapKeys: said === "map" ? mapKeys : [],
  };
}

/** `keys` are the fields that identify an item of a list: these have their defaults before they are compared. */
function objectType(schema: JsonSchema, name: string, keys: readonly string[]): FieldType {
  const atomic = schema["x-kubernetes-map-type"] === "atomic";
  const values = valuesOf(schema);
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  if (schema.properties === undefined && !isEmbedded) {
    const isOpen = values === undefined && schema.additionalProperties !== true;
    if (isOpen && !atomic) return anyType;
    const value = values === undefined ? anyType : typeOf(values, `${name}.values`);
    return { kind: "map", value, atomic };
  }
  const fields = new Map(objectFields(schema, name));
  if (isEmbedded) for (const [key, field] of resourceOwnFields()) fields.set(key, field);
  for (const key of keys) {
    const fallback = schema.properties?.[key]?.default;
    const field = fields.get(key);
    if (field !== undefined && fallback !== undefined) {
      fields.set(key, { ...field, zeroValue: fallback });
    }
  }
  const object: ObjectSchema = {
    name,
    goType: "",
    fields,
    atomic,
    preserveUnknown: keepsUnknown(schema) || schema.additionalProperties === true,
  };
  return { kind: "object", schema: () => object };
}
