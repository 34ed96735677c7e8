import { invalid, notSupported, required, tooLong } from "../field-error.ts";
import type { FieldError } from "../resource.ts";

/** Why a value is not such as a schema says. */
export interface Failure {
  /** Where, as in `spec.list[0]`; "" is the whole value; undefined: the message tells. */
  readonly path: string | undefined;
  readonly message: string;
  /** The same as the field's error, at its full path. */
  at(path: string): FieldError;
}

/** `message` about `value`. */
export function failure(path: string, value: unknown, message: string): Failure {
  return { path, message, at: (full) => invalid(full, value, message) };
}

/** Of another type than `wanted`; `found` is a type's name, or a text that is not of a format. */
export function wrongType(path: string, wanted: string, found: string): Failure {
  const message = `${path} in body must be of type ${wanted}: ${JSON.stringify(found)}`;
  return {
    path,
    message,
    at: (full) => ({ type: "Type invalid", path: full, value: found, detail: message }),
  };
}

export function missing(path: string): Failure {
  return { path, message: `${path} in body is required`, at: (full) => required(full) };
}

export function notOneOf(path: string, value: unknown, allowed: readonly unknown[]): Failure {
  const texts = allowed.map((each) => (typeof each === "string" ? each : JSON.stringify(each)));
  return {
    path,
    message: `${path} in body should be one of [${texts.join(" ")}]`,
    at: (full) => notSupported(full, value, texts),
  };
}

export function longerThan(path: string, max: number): Failure {
  return {
    path,
    message: `${path} in body should be at most ${max} chars long`,
    at: (full) => tooLong(full, max),
  };
}

export function moreThan(
  path: string,
  actual: number,
  max: number,
  what: "items" | "properties",
): Failure {
  const detail = `must have at most ${max} ${max === 1 ? "item" : "items"}`;
  return {
    path,
    message: `${path} in body should have at most ${max} ${what}`,
    at: (full) => ({ type: "Too many", path: full, value: actual, detail }),
  };
}

/** About the value as a whole: the message says which value is meant. */
export function wholeFailure(message: string): Failure {
  return { path: undefined, message, at: (full) => invalid(full, "", message) };
}

/** How Go prints the path of nothing. */
const noPath = "<nil>";

/** The failures as the API tells them. `root` is the path of the value that was validated; "" for a whole object. */
export function toFieldErrors(failures: readonly Failure[], root: string): readonly FieldError[] {
  return failures.map((each) => {
    const own = (each.path ?? "").replace(/^\./, "");
    const path = own === "" ? root : root === "" ? own : `${root}.${own}`;
    return each.at(path === "" ? noPath : path);
  });
}
