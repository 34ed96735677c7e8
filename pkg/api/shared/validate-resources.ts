import { forbidden, invalid, invalidEach, required } from "../field-error.ts";
import type { ResourceRequirements } from "../generated/core-v1.generated.ts";
import { checkQualifiedName } from "../names.ts";
import { compareQuantities, formatQuantity, type Quantity, tryParseQuantity } from "../quantity.ts";
import type { FieldError } from "../resource.ts";

const containerResources = new Set(["cpu", "memory", "ephemeral-storage"]);
const standardResources = new Set([...containerResources, "pods", "storage", "services"]);
const wholeResources = new Set(["pods", "services"]);
const hugePages = "hugepages-";
const unitNanos = 1_000_000_000n;

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
  const hasHugePages = names.some((name) => name.startsWith(hugePages));
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
  errors.push(...checkContainerResourceName(name, at));
  return validateAmount(name, text, at, errors);
}

/** An amount in a resource list: not negative, and whole where only whole ones exist. */
export function validateAmount(
  name: string,
  text: string,
  path: string,
  errors: FieldError[],
): Quantity | undefined {
  const quantity = tryParseQuantity(text);
  if (quantity === undefined) {
    errors.push(invalid(path, text, "must be a valid quantity"));
    return undefined;
  }
  if (quantity.nanos < 0n) {
    errors.push(invalid(path, formatQuantity(quantity), "must be greater than or equal to 0"));
  }
  if (isCountedWhole(name) && quantity.nanos % unitNanos !== 0n) {
    errors.push(invalid(path, formatQuantity(quantity), "must be an integer"));
  }
  return quantity;
}

function isCountedWhole(name: string): boolean {
  return wholeResources.has(name) || isExtendedResource(name);
}

function isExtendedResource(name: string): boolean {
  return name.includes("/") && !isNativeResource(name) && !name.startsWith("requests.");
}

function isNativeResource(name: string): boolean {
  return !name.includes("/") || name.includes("kubernetes.io/");
}

/** Only these may be promised to more than can have them; of all else, request and limit are the same. */
function mayOvercommit(name: string): boolean {
  return isNativeResource(name) && !name.startsWith(hugePages);
}

function checkContainerResourceName(name: string, path: string): readonly FieldError[] {
  if (containerResources.has(name)) return [];
  const errors: FieldError[] = [...invalidEach(path, name, checkQualifiedName(name))];
  if (errors.length > 0) return errors;
  if (!name.includes("/")) {
    if (name.startsWith(hugePages)) return errors;
    if (!standardResources.has(name)) {
      errors.push(invalid(path, name, "must be a standard resource type or fully qualified"));
    }
    errors.push(invalid(path, name, "must be a standard resource for containers"));
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.push(invalid(path, name, "doesn't follow extended resource name standard"));
  }
  return errors;
}

function checkAgainstLimit(
  name: string,
  request: Quantity,
  limit: Quantity | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (limit === undefined) {
    if (!mayOvercommit(name)) {
      errors.push(required(`${path}.limits`, "Limit must be set for non overcommitable resources"));
    }
    return;
  }
  const order = compareQuantities(request, limit);
  if (order !== 0 && !mayOvercommit(name)) {
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
