import { addAll } from "../../base/add-all.ts";
import type { ApiError } from "../api-error.ts";
import { decodeObject, type Misfit } from "../codec/decode.ts";
import { invalid, invalidEach, required } from "../field-error.ts";
import { kubernetesSchema } from "../kubernetes-schema.ts";
import { checkDns1035Label } from "../names.ts";
import type { ObjectMeta } from "../object.ts";
import { isJsonDraft, isJsonList, isJsonObject, type JsonDraft } from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";
import { validateObjectMeta } from "../shared/object-meta.ts";
import { itemsOf, type JsonSchema, propertyOf, someSchema, valuesOf } from "./json-schema.ts";

const metaSchema = kubernetesSchema<ObjectMeta>("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");

const embedding = new WeakMap<JsonSchema, boolean>();

/** Whether there are resources within what the schema describes. Answered once for each. */
function embedsResources(schema: JsonSchema): boolean {
  const known = embedding.get(schema);
  if (known !== undefined) return known;
  const embeds = someSchema(schema, (each) => each["x-kubernetes-embedded-resource"] === true);
  embedding.set(schema, embeds);
  return embeds;
}

/** A resource within a value whose kind, apiVersion or metadata are of another type. */
export class EmbeddedResourceError extends Error {
  readonly fieldError: FieldError;

  constructor(fieldError: FieldError) {
    super(fieldError.detail);
    this.name = "EmbeddedResourceError";
    this.fieldError = fieldError;
  }
}

/** What becomes of a resource's own fields that have another type: the value is refused, or goes without them. */
export type Malformed = "refused" | "dropped";

/**
 * Brings the metadata of each resource within `value` into its form, in place: unknown fields go, as `report` is told.
 * `isResource` says that `value` is one itself.
 */
export function coerceEmbedded(
  value: unknown,
  schema: JsonSchema,
  options: {
    readonly isResource: boolean;
    readonly malformed: Malformed;
    readonly path?: string;
    readonly report?: ((path: string) => void) | undefined;
  },
): void {
  if (!options.isResource && !embedsResources(schema)) return;
  new Coercer(options.malformed, options.report).coerce(
    value,
    schema,
    options.path ?? "",
    options.isResource,
  );
}

class Coercer {
  private readonly malformed: Malformed;
  private readonly report: ((path: string) => void) | undefined;

  constructor(malformed: Malformed, report: ((path: string) => void) | undefined) {
    this.malformed = malformed;
    this.report = report;
  }

  coerce(value: unknown, schema: JsonSchema | undefined, path: string, isResource: boolean): void {
    if (schema === undefined) return;
    if (isJsonList(value)) {
      const items = itemsOf(schema);
      value.forEach((item, index) => {
        this.coerce(item, items, `${path}[${index}]`, false);
      });
    } else if (isJsonDraft(value)) {
      if (isResource || schema["x-kubernetes-embedded-resource"] === true) {
        this.resource(value, path);
      }
      const values = valuesOf(schema);
      for (const key of Object.keys(value)) {
        const property = propertyOf(schema, key);
        if (property !== undefined) this.coerce(value[key], property, child(path, key), false);
        else this.coerce(value[key], values, `${path}[${key}]`, false);
      }
    }
  }

  private resource(resource: JsonDraft, path: string): void {
    for (const key of ["apiVersion", "kind"]) {
      const held = resource[key];
      if (held === undefined || typeof held === "string") continue;
      if (this.malformed === "dropped") delete resource[key];
      else throw new EmbeddedResourceError(invalid(child(path, key), held, "must be a string"));
    }
    if (resource["metadata"] !== undefined) this.metadata(resource, child(path, "metadata"));
  }

  private metadata(resource: JsonDraft, path: string): void {
    const held = resource["metadata"];
    try {
      const { object, warnings } = decodeObject(metaSchema, held, {
        fieldValidation: this.report === undefined ? "Ignore" : "Warn",
        refuse: ({ json }: Misfit): ApiError => {
          throw new EmbeddedResourceError(invalid(path, held, json));
        },
      });
      for (const warning of warnings) {
        const unknown = /^unknown field "(.*)"$/s.exec(warning);
        if (unknown !== null) this.report?.(`${path}.${unknown[1]}`);
      }
      resource["metadata"] = object;
    } catch (caught) {
      if (!(caught instanceof EmbeddedResourceError) || this.malformed === "refused") throw caught;
    }
  }
}

/** What is wrong with the resources within `value`. `isResource` says that it is one itself. */
export function validateEmbedded(
  value: unknown,
  schema: JsonSchema,
  isResource: boolean,
  path = "",
): readonly FieldError[] {
  if (!isResource && !embedsResources(schema)) return [];
  const errors: FieldError[] = [];
  validate(value, schema, path, isResource, errors);
  return errors;
}

function validate(
  value: unknown,
  schema: JsonSchema | undefined,
  path: string,
  isResource: boolean,
  errors: FieldError[],
): void {
  if (schema === undefined) return;
  if (isJsonList(value)) {
    const items = itemsOf(schema);
    value.forEach((item, index) => {
      validate(item, items, `${path}[${index}]`, false, errors);
    });
  } else if (isJsonObject(value)) {
    if (isResource || schema["x-kubernetes-embedded-resource"] === true) {
      validateResource(value, path, errors);
    }
    const values = valuesOf(schema);
    for (const key of Object.keys(value)) {
      const property = propertyOf(schema, key);
      if (property !== undefined) validate(value[key], property, child(path, key), false, errors);
      else validate(value[key], values, `${path}[${key}]`, false, errors);
    }
  }
}

function validateResource(
  resource: Readonly<Record<string, unknown>>,
  path: string,
  errors: FieldError[],
): void {
  const { apiVersion, kind, metadata } = resource;
  const versionPath = child(path, "apiVersion");
  const kindPath = child(path, "kind");
  if (apiVersion === undefined) errors.push(required(versionPath));
  if (kind === undefined) errors.push(required(kindPath));
  if (apiVersion !== undefined) addAll(errors, checkApiVersion(apiVersion, versionPath));
  if (kind !== undefined) addAll(errors, checkKind(kind, kindPath));
  if (metadata === undefined || !isJsonObject(metadata)) return;
  const meta = metadata as unknown as ObjectMeta;
  // Within another object a resource needs no name.
  const named = meta.name === undefined || meta.name === "" ? { ...meta, name: "fakename" } : meta;
  const scope = meta.namespace === undefined || meta.namespace === "" ? "cluster" : "namespace";
  const rules = { scope, nameRule: "path-segment" } as const;
  addAll(errors, validateObjectMeta(named, rules, child(path, "metadata")));
}

function checkApiVersion(apiVersion: unknown, path: string): readonly FieldError[] {
  if (typeof apiVersion !== "string") return [invalid(path, apiVersion, "must be a string")];
  if (apiVersion === "") return [invalid(path, apiVersion, "must not be empty")];
  if (apiVersion.split("/").length <= 2) return [];
  return [invalid(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)];
}

function checkKind(kind: unknown, path: string): readonly FieldError[] {
  if (typeof kind !== "string") return [invalid(path, kind, "must be a string")];
  if (kind === "") return [invalid(path, kind, "must not be empty")];
  const problems = checkDns1035Label(kind.toLowerCase());
  if (problems.length === 0) return [];
  const why = `may have mixed case, but should otherwise match: ${problems.join(",")}`;
  return invalidEach(path, kind, [why]);
}

function child(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
