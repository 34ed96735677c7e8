import { setImmediate as nextTurn } from "node:timers/promises";
import { ApiError } from "../../api/api-error.ts";
import { decodeObject } from "../../api/codec/decode.ts";
import { duplicateFields } from "../../api/codec/duplicate-fields.ts";
import { type ParsedJson, parseJson } from "../../api/codec/json.ts";
import { JsonError } from "../../api/codec/json-parser.ts";
import { decodeProtobuf } from "../../api/codec/protobuf.ts";
import { unreadableBody } from "../../api/codec/unreadable.ts";
import { parseYaml } from "../../api/codec/yaml.ts";
import { forbidden, required } from "../../api/field-error.ts";
import { kubernetesObjectSchema } from "../../api/kubernetes-schema.ts";
import type { Draft, KubernetesObject } from "../../api/object.ts";
import { goKind } from "../../api/patch/refusal.ts";
import type { ObjectSchema, Schema } from "../../api/schema.ts";
import { type DecodedAs, decodeAs } from "./decode-as.ts";
import type { Exchange } from "./exchange.ts";
import { bodyEncoding, type Encoding, type PatchType, patchTypeOf } from "./negotiation.ts";
import { readBody } from "./read-body.ts";
import { isTrue } from "./request-info.ts";
import type { Patch, PatchOptions } from "./verbs/patch.ts";
import {
  type DeleteOptions,
  type FieldValidation,
  parseDeleteOptions,
  parseWriteOptions,
} from "./write-options.ts";

interface Parsed {
  readonly value: unknown;
  readonly duplicates: ParsedJson["duplicates"];
  readonly strictErrors: readonly string[];
}

function parse(
  bytes: Buffer,
  encoding: Encoding,
  schema: ObjectSchema,
  findDuplicates: boolean,
): Parsed {
  try {
    if (encoding !== "protobuf") return requireFields(parseText(bytes, encoding, findDuplicates));
    const value = decodeProtobuf(schema, bytes);
    return { value, duplicates: undefined, strictErrors: [] };
  } catch (caught) {
    throw unreadableBody(schema.goType, bytes, caught);
  }
}

/** What is no object has no kind: said as upstream says it, down to the Go type that would hold the kind. */
function requireFields(parsed: Parsed): Parsed {
  const { value } = parsed;
  if (typeof value === "object" && !Array.isArray(value)) return parsed;
  throw new JsonError(
    `json: cannot unmarshal ${goKind(value)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
  );
}

function parseText(bytes: Buffer, encoding: "json" | "yaml", findDuplicates: boolean): Parsed {
  if (encoding === "json") {
    const { value, duplicates } = parseJson(bytes, { findDuplicates });
    return { value, duplicates, strictErrors: [] };
  }
  const { value, strictErrors } = parseYaml(bytes, { findDuplicates });
  return { value, duplicates: undefined, strictErrors };
}

/** Bodies longer than this are worked on in steps, between which others have their turn. */
const largeBytes = 64 * 1024;

async function readInSteps(exchange: Exchange): Promise<Buffer> {
  const bytes = await readBody(exchange);
  if (bytes.length > largeBytes) exchange.pause = () => nextTurn();
  return bytes;
}

/** The object in a request's body, pruned to its schema. Fields it does not know become warnings, or a refusal. */
export async function readObject<T extends KubernetesObject>(
  exchange: Exchange,
  kind: DecodedAs & { readonly schema: Schema<T> },
  fieldValidation: FieldValidation,
): Promise<Draft<T>> {
  const bytes = await readInSteps(exchange);
  const parsed = parse(
    bytes,
    bodyEncoding(exchange.header("content-type"), {
      protobuf: kind.schema.object.structural === undefined,
    }),
    kind.schema.object,
    fieldValidation !== "Ignore",
  );
  await exchange.pause?.();
  const { duplicates, strictErrors } = parsed;
  // To Go, null says nothing: what comes of it is an object without a name.
  const value = parsed.value ?? {};
  const options = { fieldValidation, duplicates, strictErrors };
  const decoded = decodeAs(kind, kind.schema, value, options);
  exchange.warnings.push(...decoded.warnings);
  return decoded.object;
}

const deleteOptions = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
const deleteOptionsSchema = kubernetesObjectSchema(deleteOptions);

/** The options of a delete: in the body, as clients send them, or in the query. */
export async function readDeleteOptions(exchange: Exchange): Promise<DeleteOptions> {
  const bytes = await readBody(exchange);
  if (bytes.length === 0) return parseDeleteOptions(exchange.query, undefined);
  const encoding = bodyEncoding(exchange.header("content-type"));
  const { value } = parse(bytes, encoding, deleteOptionsSchema, false);
  return parseDeleteOptions(exchange.query, decodeDeleteOptions(value ?? {}));
}

/** DeleteOptions are of no group: they may say any version, as clients do say their objects'. */
function decodeDeleteOptions(value: object): object {
  const { kind = "", apiVersion = "" } = value as { kind?: unknown; apiVersion?: unknown };
  if (typeof kind === "string" && kind !== "" && kind !== "DeleteOptions") {
    throw ApiError.badRequest(`no kind "${kind}" is registered for version "${apiVersion}"`);
  }
  const schema: Schema<object> = { name: deleteOptions, object: deleteOptionsSchema };
  const refuse = ({ json }: { readonly json: string }) => ApiError.badRequest(json);
  return decodeObject(schema, value, { refuse }).object;
}

/** A patch and its options. */
export async function readPatch(
  exchange: Exchange,
): Promise<{ readonly patch: Patch; readonly options: PatchOptions }> {
  const { query } = exchange;
  const type = patchTypeOf(exchange.header("content-type"));
  const options = parseWriteOptions(query, "PatchOptions");
  refuseOptions(type, query);
  const bytes = await readInSteps(exchange);
  const encoding = type === "apply" ? "yaml" : "json";
  const parsed = parsePatch(type, bytes, encoding, options.fieldValidation !== "Ignore");
  return {
    patch: patchOf(type, parsed.value, isTrue(query.get("force"))),
    options: { ...options, strictErrors: [...parsed.strictErrors, ...doubledFields(type, parsed)] },
  };
}

/** Of a patch in JSON: YAML has been asked already. */
function doubledFields(type: PatchType, { value, duplicates }: Parsed): readonly string[] {
  if (duplicates === undefined) return [];
  const doubled = duplicateFields(value, duplicates);
  return type === "json" ? doubled.map((each) => `json patch ${each}`) : doubled;
}

/** A text that is no JSON or YAML is refused with what its reader is called upstream. */
function parsePatch(
  type: PatchType,
  bytes: Buffer,
  encoding: "json" | "yaml",
  findDuplicates: boolean,
): Parsed {
  try {
    return parseText(bytes, encoding, findDuplicates);
  } catch (caught) {
    throw unreadablePatch(type, caught);
  }
}

function unreadablePatch(type: PatchType, caught: unknown): ApiError {
  const why = caught instanceof Error ? caught.message : String(caught);
  return new ApiError("BadRequest", `${decodingOf[type]}${why}`, { cause: caught });
}

const decodingOf: Readonly<Record<PatchType, string>> = {
  json: "error decoding patch: ",
  merge: "error decoding patch: ",
  "strategic-merge": "",
  apply: "error decoding YAML: ",
};

function refuseOptions(type: PatchType, query: URLSearchParams): void {
  const errors = [];
  if (type === "apply") {
    if (!query.get("fieldManager")) {
      errors.push(required("fieldManager", "is required for apply patch"));
    }
  } else if (query.has("force")) {
    errors.push(forbidden("force", "may not be specified for non-apply patch"));
  }
  if (errors.length === 0) return;
  throw ApiError.invalid({ group: "meta.k8s.io", kind: "PatchOptions" }, "", errors);
}

function patchOf(type: PatchType, value: unknown, force: boolean): Patch {
  switch (type) {
    case "json":
      return { type, operations: value };
    case "merge":
      return { type, patch: value };
    case "strategic-merge":
      return { type: "strategic", patch: value };
    case "apply":
      return { type, object: value, force };
  }
}
