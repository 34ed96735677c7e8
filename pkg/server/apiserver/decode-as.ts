import { ApiError } from "../../api/api-error.ts";
import { type Decoded, type DecodeOptions, decodeObject } from "../../api/codec/decode.ts";
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
  options: DecodeOptions,
): Decoded<T> {
  const apiVersion = apiVersionOf(wanted);
  checkKind(wanted, apiVersion, value);
  const decoded = decodeObject(schema, value, options);
  const typed = decoded.object as { kind?: string; apiVersion?: string };
  typed.kind = wanted.kind;
  typed.apiVersion = apiVersion;
  return decoded;
}

function checkKind(wanted: DecodedAs, apiVersion: string, value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const said = value as { readonly kind?: unknown; readonly apiVersion?: unknown };
  const saidVersion = typeof said.apiVersion === "string" ? said.apiVersion : "";
  if (saidVersion !== "" && saidVersion !== apiVersion) {
    throw ApiError.badRequest(
      `the API version in the data (${saidVersion}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (typeof said.kind === "string" && said.kind !== "" && said.kind !== wanted.kind) {
    throw ApiError.badRequest(
      `${said.kind} in version "${wanted.version}" cannot be handled as a ${wanted.kind}: the object is of another kind`,
    );
  }
}
