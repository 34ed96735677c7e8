import { addAll } from "../../base/add-all.ts";
import { invalid, invalidEach } from "../field-error.ts";
import { checkPercent } from "../names.ts";
import type { FieldError } from "../resource.ts";

export function validateNonNegative(
  value: number | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (value !== undefined && value < 0) {
    errors.push(invalid(path, value, "must be greater than or equal to 0"));
  }
}

/** Each of these fields, none of which may be less than nothing. */
export function validateEachNonNegative<T extends object>(
  object: T,
  fields: readonly (keyof T & string)[],
  path: string,
  errors: FieldError[],
): void {
  for (const field of fields) {
    const value = object[field];
    if (typeof value === "number") validateNonNegative(value, `${path}.${field}`, errors);
  }
}

/** `3` or `25%` */
export function validateIntOrPercent(
  value: number | string | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (typeof value === "number") validateNonNegative(value, path, errors);
  else if (value !== undefined) addAll(errors, invalidEach(path, value, checkPercent(value)));
}

export function validateAtMost100Percent(
  value: number | string | undefined,
  path: string,
  errors: FieldError[],
): void {
  const percent = percentOf(value);
  if (percent !== undefined && percent > 100) {
    errors.push(invalid(path, value, "must not be greater than 100%"));
  }
}

function percentOf(value: number | string | undefined): number | undefined {
  if (typeof value !== "string" || checkPercent(value).length > 0) return undefined;
  return Number.parseInt(value, 10);
}

/** True for nothing, for `0`, for `0%`, and for what is neither a number nor a percentage. */
export function isZeroCount(value: number | string | undefined): boolean {
  if (typeof value === "number") return value === 0;
  const percent = percentOf(value);
  if (percent !== undefined) return percent === 0;
  return !/^[+-]?0*[1-9][0-9]*$/.test(value ?? "");
}

interface ReplicaCounts {
  readonly replicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
}

/**
 * The counts of a status agree: `fields` are at most `replicas`, in the order in which they are named, and no more are
 * available than are ready. `ready` is how the message calls the latter.
 */
export function validateReplicaCounts<T extends ReplicaCounts>(
  status: T,
  fields: readonly (keyof T & string)[],
  ready: string,
  errors: FieldError[],
): void {
  const replicas = status.replicas ?? 0;
  for (const field of fields) {
    const value = status[field];
    if (typeof value === "number" && value > replicas) {
      errors.push(invalid(`status.${field}`, value, "cannot be greater than status.replicas"));
    }
  }
  const available = status.availableReplicas ?? 0;
  if (available > (status.readyReplicas ?? 0)) {
    errors.push(invalid("status.availableReplicas", available, `cannot be greater than ${ready}`));
  }
}

/** Collisions of names are only ever counted up. */
export function validateCollisionCount(
  next: { readonly collisionCount?: number },
  previous: { readonly collisionCount?: number },
  errors: FieldError[],
): void {
  const { collisionCount: count } = next;
  const { collisionCount: before } = previous;
  if (before === undefined || (count !== undefined && count >= before)) return;
  errors.push(invalid("status.collisionCount", count ?? 0, "cannot be decremented"));
}
