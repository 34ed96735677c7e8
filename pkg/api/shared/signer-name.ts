import { addAll } from "../../base/add-all.ts";
import { invalid, required, tooLong } from "../field-error.ts";
import { checkDnsLabel, checkDnsSubdomain } from "../names.ts";
import type { FieldError } from "../resource.ts";

const subdomainCharactersMax = 253;
const labelCharactersMax = 63;

/** What is wrong with the name of one who signs certificates: a domain, and a name within it. */
export function validateSignerName(path: string, name: string): readonly FieldError[] {
  if (name === "") return [required(path)];
  const [domain = "", rest, ...more] = name.split("/");
  if (rest === undefined || more.length > 0) {
    const detail =
      "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [invalid(path, name, detail)];
  }
  const errors: FieldError[] = [];
  if (domain.length > subdomainCharactersMax) errors.push(tooLong(path, subdomainCharactersMax));
  const labels = domain.split(".");
  addAll(errors, firstProblem(path, domain, labels, checkDnsLabel));
  if (labels.length < 2) {
    const detail = "should be a domain with at least two segments separated by dots";
    errors.push(invalid(path, domain, detail));
  }
  addAll(errors, firstProblem(path, rest, rest.split("."), checkDnsSubdomain));
  // The path leaves room for a label and a subdomain: what names a namespaced kind.
  const charactersMax = 2 * subdomainCharactersMax + labelCharactersMax + 2;
  if (name.length > charactersMax) errors.push(tooLong(path, charactersMax));
  return errors;
}

/** Of the first label that is wrong, all that is. */
function firstProblem(
  path: string,
  segment: string,
  labels: readonly string[],
  check: typeof checkDnsLabel,
): readonly FieldError[] {
  for (const label of labels) {
    const problems = check(label);
    if (problems.length === 0) continue;
    return problems.map((problem) =>
      invalid(path, segment, `validating label ${JSON.stringify(label)}: ${problem}`),
    );
  }
  return [];
}
