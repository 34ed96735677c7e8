import { ApiError } from "../api-error.ts";
import { depthOf } from "./json-value.ts";

/** Values nested deeper than this are refused before they can exhaust the stack. */
export const depthMax = 1_000;

/** Refuses a patch that is nested too deeply; `decoding` is what the reader of it calls its work. */
export function requireShallow(patch: unknown, decoding: string): void {
  if (depthOf(patch, depthMax + 1) <= depthMax) return;
  throw ApiError.badRequest(`${decoding}: json: exceeded max depth`);
}

/** A well-formed patch that cannot be carried out on this object. */
export function unprocessable(cause: string): ApiError {
  return new ApiError("Invalid", "the server rejected our request due to an error in our request", {
    details: {},
    cause: new Error(cause),
  });
}

/** Go's name for the kind of a JSON value, as its decoder prints it. */
export function goKind(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "bigint") return "number";
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** Strategic merge patch and JSON patch do not exist for every kind; the media types that do are named. */
export function unsupportedPatch(accepted: readonly string[]): ApiError {
  return new ApiError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
  );
}

/** A patch that cannot be carried out, told with what was being done. Kubernetes blames itself (500); it is the patch. */
export function failed(doing: string, caught: unknown): ApiError {
  const why = caught instanceof Error ? caught.message : String(caught);
  return new ApiError("BadRequest", `${doing}: ${why}`, { cause: caught });
}
