import { kubernetesDefinitions } from "./kubernetes-schema.ts";
import type { Field, FieldType, ObjectSchema } from "./schema.ts";

/** The prose of `kubectl explain`, where it is at hand: of a definition, or of one of its fields. */
export type Describe = (definition: string, field?: string) => string | undefined;

export interface OpenApiForm {
  readonly version: 2 | 3;
  readonly describe: Describe;
}

type Json = Readonly<Record<string, unknown>>;

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
const quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const intOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
const apiextensions = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";

/** Definitions without fields: each is one JSON value. */
const scalarDefinitions: Readonly<Record<string, (version: 2 | 3) => Json>> = {
  [quantity]: (version) =>
    version === 2 ? { type: "string" } : { oneOf: [{ type: "string" }, { type: "number" }] },
  [intOrString]: (version) =>
    version === 2
      ? { type: "string", format: "int-or-string" }
      : { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  [`${meta}.Time`]: () => ({ type: "string", format: "date-time" }),
  [`${meta}.MicroTime`]: () => ({ type: "string", format: "date-time" }),
  [`${meta}.Duration`]: () => ({ type: "string" }),
  [`${meta}.FieldsV1`]: () => ({ type: "object" }),
  [`${meta}.Patch`]: () => ({ type: "object" }),
  "io.k8s.apimachinery.pkg.runtime.RawExtension": () => ({ type: "object" }),
  [`${apiextensions}.JSON`]: () => ({}),
  [`${apiextensions}.JSONSchemaPropsOrArray`]: () => ({}),
  [`${apiextensions}.JSONSchemaPropsOrBool`]: () => ({}),
  [`${apiextensions}.JSONSchemaPropsOrStringArray`]: () => ({}),
};

/** Which definition a value of any form is of. */
const anyDefinitions: Readonly<Record<string, string>> = {
  "runtime.RawExtension": "io.k8s.apimachinery.pkg.runtime.RawExtension",
  "v1.FieldsV1": `${meta}.FieldsV1`,
  "v1.JSON": `${apiextensions}.JSON`,
  "v1.JSONSchemaPropsOrArray": `${apiextensions}.JSONSchemaPropsOrArray`,
  "v1.JSONSchemaPropsOrBool": `${apiextensions}.JSONSchemaPropsOrBool`,
  "v1.JSONSchemaPropsOrStringArray": `${apiextensions}.JSONSchemaPropsOrStringArray`,
};

const builtIn = new Set(kubernetesDefinitions());

/** One definition of an OpenAPI document. `refer` is told of each other definition that it needs. */
export function openApiDefinition(
  schema: ObjectSchema,
  form: OpenApiForm,
  refer: (definition: string, schema: ObjectSchema | undefined) => void,
): Json {
  return new DefinitionWriter(form, refer).object(schema);
}

/** The definition of a type that is one JSON value, by its name. */
export function openApiScalarDefinition(name: string, form: OpenApiForm): Json | undefined {
  const scalar = Object.hasOwn(scalarDefinitions, name) ? scalarDefinitions[name] : undefined;
  if (scalar === undefined) return undefined;
  return { ...descriptionOf(form.describe(name)), ...scalar(form.version) };
}

/** How a document refers to one of its definitions. */
export function openApiReference(name: string, version: 2 | 3): Json {
  return { $ref: version === 2 ? `#/definitions/${name}` : `#/components/schemas/${name}` };
}

function descriptionOf(description: string | undefined): Json {
  return description === undefined ? {} : { description };
}

class DefinitionWriter {
  private readonly form: OpenApiForm;
  private readonly refer: (definition: string, schema: ObjectSchema | undefined) => void;

  constructor(
    form: OpenApiForm,
    refer: (definition: string, schema: ObjectSchema | undefined) => void,
  ) {
    this.form = form;
    this.refer = refer;
  }

  object(schema: ObjectSchema): Json {
    const fields = [...schema.fields.values()];
    const required = fields.filter((field) => field.required).map((field) => field.name);
    return {
      ...descriptionOf(this.form.describe(schema.name)),
      type: "object",
      ...(fields.length === 0
        ? {}
        : {
            properties: Object.fromEntries(
              fields.map((field) => [field.name, this.property(schema, field)]),
            ),
          }),
      ...(required.length === 0 ? {} : { required }),
      ...(schema.atomic ? { "x-kubernetes-map-type": "atomic" } : {}),
      ...(schema.preserveUnknown ? { "x-kubernetes-preserve-unknown-fields": true } : {}),
    };
  }

  private property(schema: ObjectSchema, field: Field): Json {
    const type = this.type(field.type, field.goType);
    const extras = {
      ...descriptionOf(this.form.describe(schema.name, field.name)),
      ...(this.form.version === 3 && field.zeroValue !== undefined
        ? { default: field.zeroValue }
        : {}),
      ...this.patching(field),
    };
    if (Object.keys(extras).length === 0) return type;
    const isReference = "$ref" in type;
    return isReference && this.form.version === 3
      ? { ...extras, allOf: [type] }
      : { ...extras, ...type };
  }

  private patching(field: Field): Json {
    return {
      ...(field.patchMergeKey === undefined
        ? {}
        : { "x-kubernetes-patch-merge-key": field.patchMergeKey }),
      ...(field.patchStrategy.length === 0
        ? {}
        : { "x-kubernetes-patch-strategy": field.patchStrategy.join(",") }),
    };
  }

  private type(type: FieldType, goType: string): Json {
    switch (type.kind) {
      case "string":
        return type.enum === undefined ? { type: "string" } : { type: "string", enum: type.enum };
      case "bytes":
        return { type: "string", format: "byte" };
      case "boolean":
        return { type: "boolean" };
      case "integer":
        return { type: "integer", format: type.bits === 32 ? "int32" : "int64" };
      case "number":
        return { type: "number", format: "double" };
      case "time":
        return this.reference(`${meta}.Time`);
      case "micro-time":
        return this.reference(`${meta}.MicroTime`);
      case "duration":
        return this.reference(`${meta}.Duration`);
      case "quantity":
        return this.reference(quantity);
      case "int-or-string":
        return this.reference(intOrString);
      case "any": {
        const name = anyDefinitions[goType];
        return name === undefined
          ? { type: "object", "x-kubernetes-preserve-unknown-fields": true }
          : this.reference(name);
      }
      case "object":
        return this.objectType(type.schema());
      case "map":
        return {
          type: "object",
          additionalProperties: this.type(type.value, goType.replace(/^map\[string\]/, "")),
          ...(type.atomic ? { "x-kubernetes-map-type": "atomic" } : {}),
        };
      case "list":
        return {
          type: "array",
          items: this.type(type.item, goType.replace(/^\[\]/, "")),
          ...(type.listType === "map" ? { "x-kubernetes-list-map-keys": type.mapKeys } : {}),
          "x-kubernetes-list-type": type.listType,
        };
    }
  }

  /** Built-in types are definitions of their own; those within a custom resource stand where they are used. */
  private objectType(schema: ObjectSchema): Json {
    return builtIn.has(schema.name) ? this.reference(schema.name, schema) : this.object(schema);
  }

  private reference(name: string, schema?: ObjectSchema): Json {
    this.refer(name, schema);
    return openApiReference(name, this.form.version);
  }
}
