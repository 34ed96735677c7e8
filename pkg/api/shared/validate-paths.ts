import { invalid } from "../field-error.ts";
import type { FieldError } from "../resource.ts";

/** A path without a step upwards. */
export function validateNoBacksteps(value: string, path: string, errors: FieldError[]): void {
  if (value.split("/").includes("..")) errors.push(invalid(path, value, "must not contain '..'"));
}

/** A relative path that stays below where it starts. */
export function validateDescendingPath(value: string, path: string, errors: FieldError[]): void {
  if (value.startsWith("/")) errors.push(invalid(path, value, "must be a relative path"));
  validateNoBacksteps(value, path, errors);
}

/** A relative path of a file in a volume that the agent writes; it keeps names that begin with `..` to itself. */
export function validateVolumeFilePath(value: string, path: string, errors: FieldError[]): void {
  validateDescendingPath(value, path, errors);
  if (value.startsWith("..") && !value.startsWith("../")) {
    errors.push(invalid(path, value, "must not start with '..'"));
  }
}
