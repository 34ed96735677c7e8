import { addAll } from "../../base/add-all.ts";
import { ApiError } from "../api-error.ts";
import { type Decoded, type DecodeOptions, decodeObject, type Misfit } from "../codec/decode.ts";
import { duplicateFields } from "../codec/duplicate-fields.ts";
import { kubernetesObjectSchema } from "../kubernetes-schema.ts";
import type { KubernetesObject } from "../object.ts";
import type { Field, ObjectSchema, Schema } from "../schema.ts";
import { pruneNulls } from "./apply-defaults.ts";
import { coerceEmbedded, EmbeddedResourceError } from "./embedded-resource.ts";
import type { JsonSchema } from "./json-schema.ts";
import { pruneUnknown } from "./prune-unknown.ts";

/** Like upstream, no more than this many unknown and doubled fields are told. */
const strictErrorsMax = 100;

/**
 * A value as clients send it becomes a custom resource: its metadata in the one form, fields that the schema does not
 * know and nulls that mean nothing gone. All else is as it was sent: whether it is right, validation tells.
 */
export function decodeCustom(
  kind: string,
  version: string,
  schema: JsonSchema,
  value: unknown,
  options: DecodeOptions,
): Decoded<KubernetesObject> {
  const isStrict = options.fieldValidation === "Warn" || options.fieldValidation === "Strict";
  const refuse =
    options.refuse ??
    (({ json }: Misfit) =>
      ApiError.badRequest(
        `${kind} in version "${version}" cannot be handled as a ${kind}: ${json}`,
      ));
  const errors: string[] = [...(options.strictErrors ?? [])];
  if (isStrict && options.duplicates !== undefined) {
    addAll(errors, duplicateFields(value, options.duplicates));
  }
  const { object, warnings } = decodeObject(envelopeOf(kind), value, {
    fieldValidation: isStrict ? "Warn" : "Ignore",
    refuse,
  });
  addAll(errors, warnings);
  const unknown: string[] = [];
  const report = isStrict ? noteIn(unknown) : undefined;
  pruneUnknown(object, schema, true, report);
  unknown.sort();
  pruneNulls(object, schema);
  const embedded: string[] = [];
  try {
    coerceEmbedded(object, schema, {
      isResource: false,
      malformed: "refused",
      report: isStrict ? noteIn(embedded) : undefined,
    });
  } catch (caught) {
    if (!(caught instanceof EmbeddedResourceError)) throw caught;
    const { path, value: held, detail } = caught.fieldError;
    const why = `${path}: Invalid value: ${JSON.stringify(held)}: ${detail}`;
    throw refuse({ json: why, converter: why });
  }
  addAll(
    errors,
    [...unknown, ...embedded.sort()].map((path) => `unknown field "${path}"`),
  );
  const told = [...new Set(errors)].slice(0, strictErrorsMax);
  if (options.fieldValidation === "Strict" && told.length > 0) {
    const why = `strict decoding error: ${told.join(", ")}`;
    throw refuse({ json: why, converter: why });
  }
  return { object, warnings: options.fieldValidation === "Warn" ? told : [] };
}

const envelopes = new Map<string, Schema<KubernetesObject>>();

/** Metadata is typed, all else is taken as it is. */
function envelopeOf(kind: string): Schema<KubernetesObject> {
  const known = envelopes.get(kind);
  if (known !== undefined) return known;
  const field = (name: string, type: Field["type"], zeroValue: unknown): Field => ({
    name,
    type,
    required: false,
    zeroValue,
    keepsEmpty: true,
    goType: type.kind === "object" ? "v1.ObjectMeta" : "string",
    patchMergeKey: undefined,
    patchStrategy: [],
    protobuf: undefined,
  });
  const meta = () => kubernetesObjectSchema("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  const object: ObjectSchema = {
    name: `custom.${kind}`,
    goType: kind,
    fields: new Map([
      ["apiVersion", field("apiVersion", { kind: "string" }, undefined)],
      ["kind", field("kind", { kind: "string" }, undefined)],
      ["metadata", field("metadata", { kind: "object", schema: meta }, {})],
    ]),
    atomic: false,
    preserveUnknown: true,
  };
  const envelope: Schema<KubernetesObject> = { name: object.name, object };
  envelopes.set(kind, envelope);
  return envelope;
}

/** Those that are told come first by their names, so more are noted than are told. */
const notedMax = 10 * strictErrorsMax;

function noteIn(paths: string[]): (path: string) => void {
  return (path) => {
    if (paths.length < notedMax) paths.push(path);
  };
}
