import { addAll } from "../../base/add-all.ts";
import { forbidden, invalid, required } from "../field-error.ts";
import type { ResourceRequirements } from "../generated/core-v1.generated.ts";
import { compareQuantities, formatQuantity, type Quantity, tryParseQuantity } from "../quantity.ts";
import type { FieldError } from "../resource.ts";
import {
  checkContainerResourceName,
  isHugePagesResource,
  isOvercommitAllowed,
  validateAmount,
} from "./resource-names.ts";

/** What one container, or a pod as a whole, asks for and is held to. */
export function validateResourceRequirements(
  { limits, requests }: ResourceRequirements,
  path: string,
  errors: FieldError[],
): void {
  for (const name in limits) checkAmount(name, limits[name] ?? "", `${path}.limits`, errors);
  for (const name in requests) {
    const request = checkAmount(name, requests[name] ?? "", `${path}.requests`, errors);
    const limit = tryParseQuantity(limits?.[name] ?? "");
    if (request !== undefined) checkAgainstLimit(name, request, limit, path, errors);
  }
  const names = [...Object.keys(limits ?? {}), ...Object.keys(requests ?? {})];
  const hasHugePages = names.some(isHugePagesResource);
  if (hasHugePages && !names.includes("cpu") && !names.includes("memory")) {
    errors.push(forbidden(path, "HugePages require cpu or memory"));
  }
}

function checkAmount(
  name: string,
  text: string,
  path: string,
  errors: FieldError[],
): Quantity | undefined {
  const at = `${path}[${name}]`;
  addAll(errors, checkContainerResourceName(name, at));
  return validateAmount(name, text, at, errors);
}

function checkAgainstLimit(
  name: string,
  request: Quantity,
  limit: Quantity | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (limit === undefined) {
    if (!isOvercommitAllowed(name)) {
      errors.push(required(`${path}.limits`, "Limit must be set for non overcommitable resources"));
    }
    return;
  }
  const order = compareQuantities(request, limit);
  if (order !== 0 && !isOvercommitAllowed(name)) {
    errors.push(
      invalid(
        `${path}.requests`,
        formatQuantity(request),
        `must be equal to ${name} limit of ${formatQuantity(limit)}`,
      ),
    );
  } else if (order > 0) {
    errors.push(
      invalid(
        `${path}.requests`,
        formatQuantity(request),
        `must be less than or equal to ${name} limit of ${formatQuantity(limit)}`,
      ),
    );
  }
}
