import { forbidden, invalid, tooLong } from "../field-error.ts";
import { checkConfigMapKey } from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";

/** What the values of one ConfigMap or Secret may weigh together. */
const dataBytesMax = 1_048_576;

export function validateDataKeys(
  data: Readonly<Record<string, string>> | undefined,
  path: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const key in data) {
    for (const problem of checkConfigMapKey(key)) {
      errors.push(invalid(`${path}[${key}]`, key, problem));
    }
  }
  return errors;
}

/** The bytes that the values decode to. */
export function base64Bytes(data: Readonly<Record<string, string>> | undefined): number {
  let bytes = 0;
  for (const key in data) bytes += Buffer.byteLength(data[key] ?? "", "base64");
  return bytes;
}

export function textBytes(data: Readonly<Record<string, string>> | undefined): number {
  let bytes = 0;
  for (const key in data) bytes += Buffer.byteLength(data[key] ?? "", "utf8");
  return bytes;
}

export function validateDataSize(bytes: number, path: string): readonly FieldError[] {
  return bytes > dataBytesMax ? [tooLong(path, dataBytesMax)] : [];
}

interface ImmutableData {
  readonly immutable?: boolean;
  readonly data?: unknown;
  readonly binaryData?: unknown;
}

/** Once `immutable` is set it stays, and so do the data. */
export function validateDataImmutable(
  next: ImmutableData,
  previous: ImmutableData,
): readonly FieldError[] {
  if (previous.immutable !== true) return [];
  const detail = "field is immutable when `immutable` is set";
  const errors: FieldError[] = [];
  if (next.immutable !== true) errors.push(forbidden("immutable", detail));
  for (const field of ["data", "binaryData"] as const) {
    if (!equalJson(next[field] ?? {}, previous[field] ?? {})) {
      errors.push(forbidden(field, detail));
    }
  }
  return errors;
}
