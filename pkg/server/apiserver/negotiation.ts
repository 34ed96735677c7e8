import { ApiError } from "../../api/api-error.ts";

export type Encoding = "json" | "yaml" | "protobuf";

/** How the answer to a request is written. */
export interface Negotiated {
  readonly encoding: Encoding;
  /** What the answer is turned into first. For a list, PartialObjectMetadata is its List. */
  readonly as: "object" | "table" | "metadata";
  /** Of `meta.k8s.io`, where the answer is turned into something. */
  readonly metaVersion: "v1" | "v1beta1";
  /** JSON with line breaks, for people. */
  readonly pretty: boolean;
  /** What the `Content-Type` of the answer says. */
  readonly contentType: string;
}

export const jsonType = "application/json";
export const yamlType = "application/yaml";
export const protobufType = "application/vnd.kubernetes.protobuf";

const encodings: ReadonlyMap<string, Encoding> = new Map([
  [jsonType, "json"],
  [yamlType, "yaml"],
  [protobufType, "protobuf"],
]);
const contentTypes: Readonly<Record<Encoding, string>> = {
  json: jsonType,
  yaml: yamlType,
  protobuf: protobufType,
};

/** A clause of an `Accept` header. */
export interface AcceptClause {
  readonly type: string;
  readonly params: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** More clauses are not looked at. */
const acceptClausesMax = 64;

/** The clauses of an `Accept` header, those first that are looked at first. */
export function parseAccept(header: string): readonly AcceptClause[] {
  const clauses = header
    .split(",", acceptClausesMax)
    .map(parseMediaType)
    .filter((clause) => clause.type !== "");
  // What comes before what is no order (of two, each may come before the other): upstream's sort decides, step by step.
  for (let sorted = 1; sorted < clauses.length; sorted += 1) {
    for (let at = sorted; at > 0; at -= 1) {
      const [before, clause] = [clauses[at - 1], clauses[at]];
      if (before === undefined || clause === undefined || !comesBefore(clause, before)) break;
      clauses[at - 1] = clause;
      clauses[at] = before;
    }
  }
  return clauses;
}

/** What is more wanted, and what is said more exactly. */
function comesBefore(one: AcceptClause, other: AcceptClause): boolean {
  if (one.quality > other.quality) return true;
  if (!one.type.startsWith("*/") && other.type.startsWith("*/")) return true;
  return !one.type.endsWith("/*") && other.type.endsWith("/*");
}

function parseMediaType(text: string): AcceptClause {
  const [type = "", ...rest] = text.split(";");
  const params = new Map<string, string>();
  for (const param of rest) {
    const equals = param.indexOf("=");
    const name = (equals === -1 ? param : param.slice(0, equals)).trim().toLowerCase();
    const value = equals === -1 ? "" : param.slice(equals + 1).trim();
    if (name !== "") params.set(name, value.replace(/^"(.*)"$/, "$1"));
  }
  const quality = Number(params.get("q") ?? 1);
  return {
    type: type.trim() === "*" ? "*/*" : type.trim().toLowerCase(),
    params,
    quality: Number.isNaN(quality) ? 1 : quality,
  };
}

/** What is accepted where nothing is said. */
const anything: readonly AcceptClause[] = [parseMediaType("*/*")];

export interface Wishes {
  /** The `Accept` header. */
  readonly accept: string | null | undefined;
  /** The query parameter `pretty`. */
  readonly pretty?: string | null | undefined;
  readonly userAgent?: string | null | undefined;
}

/**
 * What the client accepts most of what there is; a `NotAcceptable` in upstream's words where it accepts nothing.
 * `tables` is false where there are no objects to make a table or metadata of, `protobuf` where the objects themselves
 * are to be had only as text.
 */
export function negotiate(
  wishes: Wishes,
  options: {
    readonly tables: boolean;
    readonly protobuf?: boolean;
    /** Whether a client may say which version of `meta.k8s.io` it means. Default: it may. */
    readonly serverVersion?: boolean;
  },
): Negotiated {
  const header = wishes.accept ?? "";
  const clauses = header.trim() === "" ? anything : parseAccept(header);
  for (const clause of clauses) {
    const encoding = encodingOf(clause);
    if (encoding === undefined) continue;
    if (!isServed(clause, encoding, options.serverVersion ?? true)) continue;
    const as = transformOf(clause, encoding, options.tables);
    if (as === undefined) continue;
    if (as === "object" && encoding === "protobuf" && options.protobuf === false) continue;
    return {
      encoding,
      as,
      metaVersion: clause.params.get("v") === "v1beta1" ? "v1beta1" : "v1",
      pretty: encoding === "json" && isPretty(clause, wishes),
      contentType: contentTypes[encoding],
    };
  }
  throw notAcceptable([...encodings.keys()]);
}

/** The parameters of a clause that say more than which form of the object is wanted. */
function isServed({ params }: AcceptClause, encoding: Encoding, serverVersion: boolean): boolean {
  const stream = params.get("stream") ?? "";
  if (stream !== "" && (stream !== "watch" || encoding === "yaml")) return false;
  const version = params.get("sv") ?? "";
  return version === "" || (serverVersion && version === "v1");
}

/** What the objects of a custom kind are to be had as. */
const textTypes = [jsonType, yamlType];

export function notAcceptable(accepted: readonly string[]): ApiError {
  return new ApiError(
    "NotAcceptable",
    `only the following media types are accepted: ${accepted.join(", ")}`,
  );
}

function encodingOf(clause: AcceptClause): Encoding | undefined {
  if (clause.quality === 0) return undefined;
  if (clause.type === "*/*" || clause.type === "application/*") return "json";
  return encodings.get(clause.type);
}

/** Undefined where the clause asks for what cannot be had. */
function transformOf(
  clause: AcceptClause,
  encoding: Encoding,
  tables: boolean,
): Negotiated["as"] | undefined {
  const [as = "", group = "", version = ""] = ["as", "g", "v"].map((name) =>
    clause.params.get(name),
  );
  if (`${as}${group}${version}` === "") return "object";
  const isMeta = group === "meta.k8s.io";
  if (!tables || !isMeta || (version !== "v1" && version !== "v1beta1")) return undefined;
  if (as === "Table") return encoding === "protobuf" ? undefined : "table";
  const isMetadata = as === "PartialObjectMetadata" || as === "PartialObjectMetadataList";
  return isMetadata ? "metadata" : undefined;
}

const goTrue: ReadonlySet<string> = new Set(["1", "t", "T", "true", "True", "TRUE"]);

/** By wish, or where a person seems to look at it. */
function isPretty({ params }: AcceptClause, { pretty, userAgent }: Wishes): boolean {
  if (params.get("pretty") === "1") return true;
  if (pretty !== undefined && pretty !== null && pretty !== "") return goTrue.has(pretty);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent ?? "");
}

/** How a body is written; an UnsupportedMediaType in upstream's words where that is none we read. */
export function bodyEncoding(
  contentType: string | null | undefined,
  options: { readonly protobuf?: boolean } = {},
): Encoding {
  if (contentType === null || contentType === undefined || contentType.trim() === "") return "json";
  const encoding = encodings.get(contentType) ?? encodings.get(parseMediaType(contentType).type);
  if (encoding === undefined) throw unsupportedMediaType([...encodings.keys()]);
  if (encoding === "protobuf" && options.protobuf === false) throw unsupportedMediaType(textTypes);
  return encoding;
}

export type PatchType = "json" | "merge" | "strategic-merge" | "apply";

const patchTypes: ReadonlyMap<string, PatchType> = new Map([
  ["application/json-patch+json", "json"],
  ["application/merge-patch+json", "merge"],
  ["application/strategic-merge-patch+json", "strategic-merge"],
  ["application/apply-patch+yaml", "apply"],
]);

/** Which kind of patch a body is; an UnsupportedMediaType where the header names none of `accepted`. */
export function patchTypeOf(
  contentType: string | null | undefined,
  accepted: readonly PatchType[] = [...patchTypes.values()],
): PatchType {
  const type = patchTypes.get(parseMediaType(contentType ?? "").type);
  if (type !== undefined && accepted.includes(type)) return type;
  const names = [...patchTypes].filter(([, known]) => accepted.includes(known));
  throw unsupportedMediaType(names.map(([name]) => name));
}

function unsupportedMediaType(accepted: readonly string[]): ApiError {
  return new ApiError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
  );
}

/** Smaller answers are sent as they are: compressing them costs more than it saves. */
export const gzipThresholdBytes = 128 * 1_024;

/** Whether an answer of that size goes out compressed. */
export function wantsGzip(acceptEncoding: string | null | undefined, sizeBytes: number): boolean {
  if (sizeBytes < gzipThresholdBytes) return false;
  return parseAccept(acceptEncoding ?? "").some(
    (clause) => clause.type === "gzip" && clause.quality > 0,
  );
}
