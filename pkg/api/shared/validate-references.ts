import { addAll } from "../../base/add-all.ts";
import { invalidEach, required } from "../field-error.ts";
import { checkDnsSubdomain, checkPathSegment } from "../names.ts";
import type { FieldError } from "../resource.ts";

/** Of a reference to an object of any kind: that its group, kind and name are such. */
export function validateTypedReference(
  {
    apiGroup,
    kind,
    name,
  }: { readonly apiGroup?: string; readonly kind: string; readonly name: string },
  path: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (apiGroup !== undefined) {
    addAll(errors, invalidEach(`${path}.apiGroup`, apiGroup, checkDnsSubdomain(apiGroup)));
  }
  addAll(errors, validateRequiredSegment(kind, `${path}.kind`));
  addAll(errors, validateRequiredSegment(name, `${path}.name`));
  return errors;
}

/** Of a text that has to be there, and to be one segment of a URL's path. */
export function validateRequiredSegment(
  value: string | undefined,
  path: string,
): readonly FieldError[] {
  return value === undefined || value === ""
    ? [required(path)]
    : invalidEach(path, value, checkPathSegment(value));
}
