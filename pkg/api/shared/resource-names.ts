import { invalid, invalidEach } from "../field-error.ts";
import { checkQualifiedName } from "../names.ts";
import { formatQuantity, type Quantity, tryParseQuantity } from "../quantity.ts";
import type { FieldError } from "../resource.ts";

const hugePagesPrefix = "hugepages-";
const requestsPrefix = "requests.";
const containerResources: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"]);

/** Counted, not measured: of these there are only whole ones. */
const countedResources: ReadonlySet<string> = new Set([
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
]);

const quotaResources: ReadonlySet<string> = new Set([
  ...containerResources,
  ...countedResources,
  "requests.cpu",
  "requests.memory",
  "requests.storage",
  "requests.ephemeral-storage",
  "limits.cpu",
  "limits.memory",
  "limits.ephemeral-storage",
]);

const unitNanos = 1_000_000_000n;

export function isHugePagesResource(name: string): boolean {
  return name.startsWith(hugePagesPrefix);
}

/** Names without a prefix, and those under kubernetes.io, are Kubernetes' own. */
export function isNativeResource(name: string): boolean {
  return !name.includes("/") || name.includes("kubernetes.io/");
}

/** What a device plugin or an operator brings: `example.com/gpu`. */
export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith(requestsPrefix)) return false;
  return checkQualifiedName(`${requestsPrefix}${name}`).length === 0;
}

/** Only these may be promised to more than can have them; of all else, request and limit are the same. */
export function isOvercommitAllowed(name: string): boolean {
  return isNativeResource(name) && !isHugePagesResource(name);
}

/** What a quota can hold a namespace to under a name without a prefix. */
export function isStandardQuotaResource(name: string): boolean {
  return (
    quotaResources.has(name) ||
    isHugePagesResource(name) ||
    name.startsWith(`${requestsPrefix}${hugePagesPrefix}`)
  );
}

/** A resource that the system knows, or that carries the prefix of whoever does. */
export function checkResourceName(name: string, path: string): readonly FieldError[] {
  const errors = invalidEach(path, name, checkQualifiedName(name));
  if (errors.length > 0 || name.includes("/")) return errors;
  if (name === "storage" || isStandardQuotaResource(name)) return [];
  return [invalid(path, name, "must be a standard resource type or fully qualified")];
}

/** A resource that a container can ask for. */
export function checkContainerResourceName(name: string, path: string): readonly FieldError[] {
  if (containerResources.has(name)) return [];
  const errors = [...checkResourceName(name, path)];
  if (!name.includes("/")) {
    if (!isHugePagesResource(name)) {
      errors.push(invalid(path, name, "must be a standard resource for containers"));
    }
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.push(invalid(path, name, "doesn't follow extended resource name standard"));
  }
  return errors;
}

/** An amount of a resource: not negative, and whole where only whole ones exist. Undefined where it is no quantity. */
export function validateAmount(
  name: string,
  text: string,
  path: string,
  errors: FieldError[],
): Quantity | undefined {
  const quantity = validateNonNegativeQuantity(text, path, errors);
  if (quantity === undefined) return undefined;
  const isCounted = countedResources.has(name) || isExtendedResource(name);
  if (isCounted && quantity.nanos % unitNanos !== 0n) {
    errors.push(invalid(path, formatQuantity(quantity), "must be an integer"));
  }
  return quantity;
}

export function validateNonNegativeQuantity(
  text: string,
  path: string,
  errors: FieldError[],
): Quantity | undefined {
  const quantity = validateQuantity(text, path, errors);
  if (quantity !== undefined && quantity.nanos < 0n) {
    errors.push(invalid(path, formatQuantity(quantity), "must be greater than or equal to 0"));
  }
  return quantity;
}

export function validatePositiveQuantity(text: string, path: string, errors: FieldError[]): void {
  const quantity = validateQuantity(text, path, errors);
  if (quantity !== undefined && quantity.nanos <= 0n) {
    errors.push(invalid(path, formatQuantity(quantity), "must be greater than 0"));
  }
}

/** Bodies are refused while they are read; this is for objects that are made in process. */
function validateQuantity(text: string, path: string, errors: FieldError[]): Quantity | undefined {
  const quantity = tryParseQuantity(text);
  if (quantity === undefined) errors.push(invalid(path, text, "must be a valid quantity"));
  return quantity;
}
