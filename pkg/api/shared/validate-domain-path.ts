import { addAll } from "../../base/add-all.ts";
import { invalid, invalidEach, required } from "../field-error.ts";
import { checkDnsSubdomain, checkUrlPath } from "../names.ts";
import type { FieldError } from "../resource.ts";

/** The value is a domain and a path, as in `acme.io/foo`: how controllers that are not Kubernetes' own are named. */
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
  addAll(errors, invalidEach(path, domain, checkDnsSubdomain(domain)));
  addAll(errors, invalidEach(path, rest, checkUrlPath(rest)));
}
