import { invalid, invalidEach, required } from "../field-error.ts";
import { checkDnsSubdomain } from "../names.ts";
import type { FieldError } from "../resource.ts";

const pathPattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const pathShape = new RegExp(`^${pathPattern}$`);

/** `acme.io/foo`: how somebody outside Kubernetes is named. */
export function validateDomainPath(value: string, path: string, errors: FieldError[]): void {
  if (value === "") {
    errors.push(required(path));
    return;
  }
  const slash = value.indexOf("/");
  const domain = value.slice(0, Math.max(0, slash));
  const rest = value.slice(slash + 1);
  if (domain === "" || rest === "") {
    errors.push(invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")'));
    return;
  }
  errors.push(...invalidEach(path, domain, checkDnsSubdomain(domain)));
  if (!pathShape.test(rest)) {
    errors.push(
      invalid(path, rest, `Invalid path (regex used for validation is '${pathPattern}')`),
    );
  }
}
