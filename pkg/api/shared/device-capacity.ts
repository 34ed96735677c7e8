import { forbidden, invalid, required } from "../field-error.ts";
import type {
  CapacityRequestPolicyRange,
  DeviceCapacity,
} from "../generated/resource-v1.generated.ts";
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  type Quantity,
  tryParseQuantity,
  wholeUnits,
} from "../quantity.ts";
import type { FieldError } from "../resource.ts";
import { validateUniqueItems } from "./bounded-lists.ts";

const optionsMax = 10;
const zero: Quantity = { nanos: 0n, format: "DecimalSI" };

/** What a device has of something, and what parts of it can be asked for where several can share it. */
export function validateDeviceCapacity(
  { value, requestPolicy }: DeviceCapacity,
  isShared: boolean,
  path: string,
  errors: FieldError[],
): void {
  if (requestPolicy === undefined) return;
  const at = `${path}.requestPolicy`;
  if (!isShared) {
    errors.push(forbidden(at, "allowMultipleAllocations must be true"));
    return;
  }
  const { default: preset, validRange, validValues = [] } = requestPolicy;
  if (validValues.length > 0 && validRange !== undefined) {
    errors.push(
      forbidden(
        at,
        'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time',
      ),
    );
    return;
  }
  const field = validRange === undefined ? "validValues" : "validRange";
  if (validRange === undefined && validValues.length === 0) return;
  if (preset === undefined) {
    errors.push(required(`${at}.default`, `required when ${field} is defined`));
  } else if (validRange === undefined) {
    validateOptions(validValues, amount(preset), amount(value), `${at}.validValues`, errors);
  } else {
    validateRange(validRange, amount(preset), amount(value), `${at}.validRange`, errors);
  }
}

function amount(text: string): Quantity {
  return tryParseQuantity(text) ?? zero;
}

function validateOptions(
  options: readonly string[],
  preset: Quantity,
  capacity: Quantity,
  path: string,
  errors: FieldError[],
): void {
  options.forEach((option, index) => {
    const before = options[index - 1];
    if (before === undefined || compareQuantities(amount(before), amount(option)) <= 0) return;
    errors.push(invalid(`${path}[${index}]`, option, "values must be sorted in ascending order"));
  });
  let hasPreset = false;
  validateUniqueItems(
    options,
    optionsMax,
    path,
    errors,
    (option, at) => {
      if (compareQuantities(amount(option), capacity) > 0) {
        const detail = `option is larger than capacity value: ${formatQuantity(capacity)}`;
        errors.push(invalid(at, option, detail));
      }
      if (compareQuantities(amount(option), preset) === 0) hasPreset = true;
    },
    (option) => String(wholeUnits(amount(option))),
  );
  if (!hasPreset) {
    const detail = "default value is not valid according to the requestPolicy";
    errors.push(invalid(path, formatQuantity(preset), detail));
  }
}

function validateRange(
  range: CapacityRequestPolicyRange,
  preset: Quantity,
  capacity: Quantity,
  path: string,
  errors: FieldError[],
): void {
  if ((range.min as string | undefined) === undefined) {
    errors.push(required(`${path}.min`, "required when validRange is defined"));
    return;
  }
  const min = amount(range.min);
  const max = range.max === undefined ? undefined : amount(range.max);
  const refuseAbove = (
    field: "max" | "min",
    low: Quantity,
    high: Quantity,
    shown: Quantity,
    problem: string,
    bound: Quantity,
  ) => {
    if (compareQuantities(low, high) <= 0) return;
    const detail = `${problem}: ${formatQuantity(bound)}`;
    errors.push(invalid(`${path}.${field}`, formatQuantity(shown), detail));
  };
  refuseAbove("min", min, capacity, min, "min is larger than capacity value", capacity);
  refuseAbove("min", min, preset, preset, "default is less than min", min);
  if (max !== undefined) {
    refuseAbove("max", min, max, min, "min is larger than max", max);
    refuseAbove("max", max, capacity, max, "max is larger than capacity value", capacity);
    refuseAbove("max", preset, max, preset, "default is more than max", max);
  }
  if (range.step === undefined) return;
  const step = amount(range.step);
  const stepped = addQuantities(min, step);
  if (compareQuantities(stepped, capacity) > 0) {
    const detail = `one step ${formatQuantity(stepped)} is larger than capacity value: ${formatQuantity(capacity)}`;
    errors.push(invalid(`${path}.step`, range.step, detail));
  }
  for (const value of max === undefined ? [preset] : [preset, max]) {
    if (isSteps(value, min, step)) continue;
    const detail = `value is not a multiple of a given step (${formatQuantity(step)}) from (${formatQuantity(min)})`;
    errors.push(invalid(`${path}.step`, formatQuantity(value), detail));
  }
}

/** Where upstream divides by zero, nothing is a multiple. */
function isSteps(value: Quantity, min: Quantity, step: Quantity): boolean {
  const units = BigInt(wholeUnits(step));
  if (units === 0n) return false;
  return (BigInt(wholeUnits(value)) - BigInt(wholeUnits(min))) % units === 0n;
}
