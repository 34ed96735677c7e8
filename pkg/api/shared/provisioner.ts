import { invalid, invalidEach, required, tooLong } from "../field-error.ts";
import { checkQualifiedName } from "../names.ts";
import type { FieldError } from "../resource.ts";

const parametersMax = 512;
const parameterBytesMax = 256 * 1024;

/** The name of what makes or changes volumes: a qualified name, in capitals too. */
export function validateProvisioner(provisioner: string, path: string): readonly FieldError[] {
  if (provisioner === "") return [required(path)];
  const name = provisioner.toLowerCase();
  return invalidEach(path, name, checkQualifiedName(name));
}

/** What is passed on to whatever makes or changes volumes, unread. */
export function validateProvisionerParameters(
  parameters: Readonly<Record<string, string>> | undefined,
  path: string,
): readonly FieldError[] {
  const entries = Object.entries(parameters ?? {});
  if (entries.length > parametersMax) return [tooLong(path, parametersMax)];
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of entries) {
    if (key === "") errors.push(invalid(path, key, "field can not be empty."));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > parameterBytesMax) errors.push(tooLong(path, parameterBytesMax));
  return errors;
}
