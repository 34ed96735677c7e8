import { addAll } from "../../base/add-all.ts";
/** A schema as a CustomResourceDefinition states it: `apiextensions.k8s.io/v1` JSONSchemaProps. */
export interface JsonSchema {
  readonly id?: string;
  readonly $schema?: string;
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly title?: string;
  readonly default?: unknown;
  readonly maximum?: number;
  readonly exclusiveMaximum?: boolean;
  readonly minimum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly multipleOf?: number;
  readonly enum?: readonly unknown[];
  readonly maxProperties?: number;
  readonly minProperties?: number;
  readonly required?: readonly string[];
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly properties?: JsonSchemas;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly patternProperties?: JsonSchemas;
  readonly dependencies?: Readonly<Record<string, JsonSchema | readonly string[]>>;
  readonly additionalItems?: JsonSchema | boolean;
  readonly definitions?: JsonSchemas;
  readonly externalDocs?: { readonly description?: string; readonly url?: string };
  readonly example?: unknown;
  readonly nullable?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-map-type"?: string;
  readonly "x-kubernetes-validations"?: readonly ValidationRule[];
}

type JsonSchemas = Readonly<Record<string, JsonSchema>>;

/** A rule in CEL. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/** The schema of a list's items; undefined where there is none, or one for each place. */
export function itemsOf(schema: JsonSchema): JsonSchema | undefined {
  return isSchemaList(schema.items) ? undefined : schema.items;
}

/** The schemas of a list's items where there is one for each place, which is never served. */
export function itemsByPlace(schema: JsonSchema): readonly JsonSchema[] {
  return isSchemaList(schema.items) ? schema.items : [];
}

function isSchemaList(items: JsonSchema["items"]): items is readonly JsonSchema[] {
  return Array.isArray(items);
}

/** The schema of a map's values; undefined where there is none, or any value goes. */
export function valuesOf(schema: JsonSchema): JsonSchema | undefined {
  const { additionalProperties } = schema;
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}

/** The schema of one property of the schema's own. */
export function propertyOf(schema: JsonSchema, key: string): JsonSchema | undefined {
  const { properties } = schema;
  return properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined;
}

/** Whether any schema in this one, itself included, is such as `test` says. */
export function someSchema(
  schema: JsonSchema | undefined,
  test: (schema: JsonSchema) => boolean,
): boolean {
  if (schema === undefined) return false;
  if (test(schema)) return true;
  return schemasIn(schema).some((inner) => someSchema(inner, test));
}

/** Every schema that stands directly in this one. */
export function schemasIn(schema: JsonSchema): readonly JsonSchema[] {
  const inner: JsonSchema[] = [];
  const add = (each: unknown) => {
    if (typeof each === "object" && each !== null && !Array.isArray(each)) inner.push(each);
  };
  add(itemsOf(schema));
  addAll(inner, itemsByPlace(schema));
  inner.push(...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? []));
  add(schema.not);
  for (const maps of [schema.properties, schema.patternProperties, schema.definitions]) {
    addAll(inner, Object.values(maps ?? {}));
  }
  add(schema.additionalProperties);
  add(schema.additionalItems);
  for (const dependency of Object.values(schema.dependencies ?? {})) add(dependency);
  return inner;
}

/** Null and `undefined` are no default; everything else is, `false` and `""` too. */
export function hasDefault(schema: JsonSchema): boolean {
  return schema.default !== undefined && schema.default !== null;
}

/** What apiVersion, kind and metadata are called: a resource has them without saying so. */
export const resourceFields: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);
