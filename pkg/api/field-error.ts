import type { FieldError } from "./resource.ts";

export function required(path: string, detail = ""): FieldError {
  return { type: "Required value", path, detail };
}

export function invalid(path: string, value: unknown, detail: string): FieldError {
  return { type: "Invalid value", path, value, detail };
}

/** An "Invalid value" that is not shown: what is wrong is not one value, but how several lie together. */
export function invalidTogether(path: string, detail: string): FieldError {
  return { type: "Invalid value", path, detail };
}

export function notFound(path: string, value: unknown): FieldError {
  return { type: "Not found", path, value, detail: "" };
}

export function duplicate(path: string, value: unknown): FieldError {
  return { type: "Duplicate value", path, value, detail: "" };
}

export function forbidden(path: string, detail: string): FieldError {
  return { type: "Forbidden", path, detail };
}

export function tooLong(path: string, bytesMax: number): FieldError {
  return { type: "Too long", path, detail: `may not be more than ${bytesMax} bytes` };
}

/** Of a list with `count` items. */
export function tooMany(path: string, count: number, itemsMax: number): FieldError {
  const items = itemsMax === 1 ? "item" : "items";
  return { type: "Too many", path, value: count, detail: `must have at most ${itemsMax} ${items}` };
}

export function notSupported(
  path: string,
  value: unknown,
  supported: readonly string[],
): FieldError {
  const names = supported.map((name) => JSON.stringify(name)).join(", ");
  return { type: "Unsupported value", path, value, detail: `supported values: ${names}` };
}

/** One "Invalid value" for each sentence about `value`. */
export function invalidEach(
  path: string,
  value: unknown,
  details: readonly string[],
): readonly FieldError[] {
  return details.map((detail) => invalid(path, value, detail));
}

/** What upstream says of any field that an update may not change. */
export const immutableDetail = "field is immutable";

/** A body can be wrong in more ways than anybody reads; the rest of them are there when these are mended. */
export const shownErrorsMax = 1_000;

/** Whether so much is wrong that looking further says nothing more to anybody. */
export function isEnough(errors: readonly FieldError[]): boolean {
  return errors.length >= shownErrorsMax;
}
