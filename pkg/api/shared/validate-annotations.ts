import { addAll } from "../../base/add-all.ts";
import { invalidEach, tooLong } from "../field-error.ts";
import { checkQualifiedName } from "../names.ts";
import type { FieldError } from "../resource.ts";

/** What all annotations of one object may weigh together. */
const annotationBytesMax = 262_144;

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
  errors: FieldError[],
): void {
  let bytes = 0;
  for (const key in annotations) {
    addAll(errors, invalidEach(path, key, checkQualifiedName(key.toLowerCase())));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(annotations[key] ?? "");
  }
  if (bytes > annotationBytesMax) errors.push(tooLong(path, annotationBytesMax));
}
