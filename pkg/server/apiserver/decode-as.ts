import { ApiError } from "../../api/api-error.ts";
import { type Decoded, type DecodeOptions, decodeObject } from "../../api/codec/decode.ts";
import { decodeCustom } from "../../api/custom/decode-custom.ts";
import { kubernetesDefinitionOf } from "../../api/kubernetes-schema.ts";
import { apiVersionOf } from "../../api/resource.ts";
import type { Schema } from "../../api/schema.ts";

export interface DecodedAs {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Decodes a value that must be of one kind. What says no kind is taken to be of it. */
export function decodeAs<T>(
  wanted: DecodedAs,
  schema: Schema<T>,
  value: unknown,
  options: DecodeOptions & {
    /** What is thrown for a value of another kind, instead of BadRequest. */
    readonly refuseKind?: ((why: string) => ApiError) | undefined;
  },
): Decoded<T> {
  const apiVersion = apiVersionOf(wanted);
  checkKind(wanted, apiVersion, value, options.refuseKind);
  const decoded = decode(wanted, schema, value, options);
  const typed = decoded.object as { kind?: string; apiVersion?: string };
  typed.kind = wanted.kind;
  typed.apiVersion = apiVersion;
  return decoded;
}

function decode<T>(
  { kind, version }: DecodedAs,
  schema: Schema<T>,
  value: unknown,
  options: DecodeOptions,
): Decoded<T> {
  const { structural } = schema.object;
  if (structural === undefined) return decodeObject(schema, value, options);
  // What a custom schema describes is a `T` because its definition says so.
  return decodeCustom(kind, version, structural, value, options) as Decoded<never> as Decoded<T>;
}

function checkKind(
  wanted: DecodedAs,
  apiVersion: string,
  value: unknown,
  refuseKind: ((why: string) => ApiError) | undefined,
): void {
  if (typeof value !== "object" || value === null) return;
  const said = value as { readonly kind?: unknown; readonly apiVersion?: unknown };
  const saidVersion = textOr(said.apiVersion, apiVersion);
  const saidKind = textOr(said.kind, wanted.kind);
  if (saidVersion === apiVersion && saidKind === wanted.kind) return;
  const slash = saidVersion.indexOf("/");
  const group = saidVersion.slice(0, Math.max(slash, 0));
  const version = saidVersion.slice(slash + 1);
  const isKnown = kubernetesDefinitionOf(saidVersion, saidKind) !== undefined;
  if (isKnown && group === wanted.group && saidKind === wanted.kind) {
    throw ApiError.badRequest(
      `the API version in the data (${saidVersion}) does not match the expected API version (${apiVersion})`,
    );
  }
  const why = isKnown
    ? `converting (${version}.${saidKind}) to (${packageOf(wanted.group)}.${wanted.kind}): unknown conversion`
    : `no kind "${saidKind}" is registered for version "${saidVersion}"`;
  if (refuseKind !== undefined) throw refuseKind(why);
  throw ApiError.badRequest(
    `${saidKind} in version "${version}" cannot be handled as a ${wanted.kind}: ${why}`,
  );
}

function textOr(said: unknown, otherwise: string): string {
  return typeof said === "string" && said !== "" ? said : otherwise;
}

/** The Go package of a group's types, as in `core.Pod`. */
function packageOf(group: string): string {
  return group === "" ? "core" : (group.split(".")[0] ?? "");
}
