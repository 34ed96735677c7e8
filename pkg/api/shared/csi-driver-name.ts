import { addAll } from "../../base/add-all.ts";
import { invalidEach, required, tooLong } from "../field-error.ts";
import { checkDnsSubdomain } from "../names.ts";
import type { FieldError } from "../resource.ts";

const driverNameCharactersMax = 63;

/** What a CSI driver calls itself. */
export function validateCsiDriverName(name: string, path: string): readonly FieldError[] {
  if (name === "") return [required(path)];
  const errors: FieldError[] = [];
  if (name.length > driverNameCharactersMax) errors.push(tooLong(path, driverNameCharactersMax));
  addAll(errors, invalidEach(path, name, checkDnsSubdomain(name.toLowerCase())));
  return errors;
}
