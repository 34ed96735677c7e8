import { addAll } from "../../base/add-all.ts";
import { duplicate, invalid, invalidEach, required } from "../field-error.ts";
import type { PodSpec, ResourceRequirements } from "../generated/core-v1.generated.ts";
import { checkDnsLabel, checkDnsSubdomain } from "../names.ts";
import type { FieldError } from "../resource.ts";

/** The claims on devices that a pod has, which its containers choose from. */
export function validatePodClaims(
  { resourceClaims = [] }: PodSpec,
  path: string,
  errors: FieldError[],
): void {
  const names = new Set<string>();
  resourceClaims.forEach((claim, index) => {
    const at = `${path}[${index}]`;
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    if (name === "") errors.push(required(`${at}.name`));
    else if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    else addAll(errors, invalidEach(`${at}.name`, name, checkDnsLabel(name)));
    names.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const detail =
        "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
      errors.push(invalid(at, claim, detail));
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      const detail = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
      errors.push(invalid(at, claim, detail));
    }
    for (const field of ["resourceClaimName", "resourceClaimTemplateName"] as const) {
      const other = claim[field];
      if (other === undefined) continue;
      addAll(errors, invalidEach(`${at}.${field}`, other, checkDnsSubdomain(other)));
    }
  });
}

/** The claims that a container chooses: each whole, or by some of its requests. */
export function validateContainerClaims(
  { claims = [] }: ResourceRequirements,
  podClaims: ReadonlySet<string>,
  path: string,
  errors: FieldError[],
): void {
  const names = new Set<string>();
  claims.forEach(({ name, request = "" }, index) => {
    const at = `${path}[${index}]`;
    if (name === "") {
      errors.push(required(at));
      return;
    }
    if (names.has(name)) errors.push(duplicate(at, name));
    else {
      if (request !== "") {
        addAll(errors, invalidEach(`${at}.request`, request, checkDnsLabel(request)));
      }
      const key = request === "" ? name : `${name}/${request}`;
      if (names.has(key)) errors.push(duplicate(at, key));
      else if (request === "") {
        for (const other of names) {
          if (other.startsWith(`${name}/`)) errors.push(duplicate(at, name));
        }
      }
      names.add(key);
    }
    if (podClaims.has(name)) return;
    const known = [...podClaims].sort().join(", ");
    errors.push({
      type: "Not found",
      path: at,
      value: name,
      detail: `must be one of the names in pod.spec.resourceClaims${known === "" ? " which is empty" : `: ${known}`}`,
    });
  });
}
