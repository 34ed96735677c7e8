import { addAll } from "../../base/add-all.ts";
import { invalid, invalidEach, required, tooLong } from "../field-error.ts";
import { checkDnsLabel, checkDnsSubdomain, checkLabelValue } from "../names.ts";
import type { FieldError } from "../resource.ts";
import { validateCsiDriverName } from "./csi-driver-name.ts";

const poolCharactersMax = 253;
const identifierCharactersMax = 32;

/** A pool of devices: DNS subdomains with slashes between them. */
export function validatePoolName(name: string, path: string, errors: FieldError[]): void {
  if (name === "") {
    errors.push(required(path));
    return;
  }
  if (name.length > poolCharactersMax) errors.push(tooLong(path, poolCharactersMax));
  for (const part of name.split("/")) {
    addAll(errors, invalidEach(path, part, checkDnsSubdomain(part)));
  }
}

export function validateDnsLabel(name: string, path: string, errors: FieldError[]): void {
  addAll(errors, invalidEach(path, name, checkDnsLabel(name)));
}

export function validateLabelValue(value: string, path: string, errors: FieldError[]): void {
  addAll(errors, invalidEach(path, value, checkLabelValue(value)));
}

/** What a device has: `name`, or `domain/name` of whoever defined it. */
export function validateDeviceQualifiedName(
  name: string,
  path: string,
  errors: FieldError[],
): void {
  const parts = name.split("/");
  const [first = "", second = ""] = parts;
  if (parts.length === 1) validateIdentifier(first, path, errors);
  // A name with more slashes is taken as it is, as upstream has it.
  if (parts.length !== 2) return;
  if (first === "") errors.push(invalid(path, "", "the domain must not be empty"));
  else addAll(errors, validateCsiDriverName(first, path));
  if (second === "") errors.push(invalid(path, "", "the name must not be empty"));
  else validateIdentifier(second, path, errors);
}

/** As `validateDeviceQualifiedName`, and with a domain. */
export function validateDeviceFullName(name: string, path: string, errors: FieldError[]): void {
  validateDeviceQualifiedName(name, path, errors);
  if (name.includes("/")) return;
  errors.push(
    invalid(path, name, "a fully qualified name must be a domain and a name separated by a slash"),
  );
}

function validateIdentifier(name: string, path: string, errors: FieldError[]): void {
  if (name.length > identifierCharactersMax) errors.push(tooLong(path, identifierCharactersMax));
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return;
  errors.push(
    invalid(
      path,
      name,
      "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')",
    ),
  );
}

/** A uuid in the one way in which the system writes them. */
export function validateUid(uid: string, path: string, errors: FieldError[]): void {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uid)) return;
  const problem = uuidProblem(uid);
  errors.push(
    invalid(
      path,
      uid,
      problem === undefined
        ? "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters"
        : `error validating uid: ${problem}`,
    ),
  );
}

const uuidShape = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Why a text is no uuid in any of the ways in which one can be written. */
function uuidProblem(text: string): string | undefined {
  switch (text.length) {
    case 36:
      return uuidShape.test(text) ? undefined : "invalid UUID format";
    case 45:
      if (!/^urn:uuid:/i.test(text))
        return `invalid urn prefix: ${JSON.stringify(text.slice(0, 9))}`;
      return uuidShape.test(text.slice(9)) ? undefined : "invalid UUID format";
    case 38:
      if (!/^\{.*\}$/.test(text)) return "invalid bracketed UUID format";
      return uuidShape.test(text.slice(1, -1)) ? undefined : "invalid UUID format";
    case 32:
      return /^[0-9a-f]{32}$/i.test(text) ? undefined : "invalid UUID format";
    default:
      return `invalid UUID length: ${text.length}`;
  }
}
