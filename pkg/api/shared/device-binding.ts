import { addAll } from "../../base/add-all.ts";
import { duplicate, invalid, invalidEach } from "../field-error.ts";
import { checkQualifiedName } from "../names.ts";
import type { FieldError } from "../resource.ts";
import { validateItems } from "./bounded-lists.ts";

const conditionsMax = 4;

interface BindingConditions {
  readonly bindingConditions?: readonly string[];
  readonly bindingFailureConditions?: readonly string[];
}

/** The conditions of a device that a pod waits for, and those at which it gives up: never the one without the other. */
export function validateBindingConditions(
  { bindingConditions: awaited = [], bindingFailureConditions: failed = [] }: BindingConditions,
  path: string,
  errors: FieldError[],
): void {
  const awaitedPath = `${path}.bindingConditions`;
  const failedPath = `${path}.bindingFailureConditions`;
  const checkName = (name: string, at: string) => {
    addAll(errors, invalidEach(at, name, checkQualifiedName(name)));
  };
  validateItems(awaited, conditionsMax, awaitedPath, errors, checkName);
  validateItems(failed, conditionsMax, failedPath, errors, checkName);
  const awaitedNames = new Set<string>();
  awaited.forEach((name, index) => {
    if (awaitedNames.has(name)) errors.push(duplicate(`${awaitedPath}[${index}]`, name));
    awaitedNames.add(name);
  });
  const failedNames = new Set<string>();
  failed.forEach((name, index) => {
    const at = `${failedPath}[${index}]`;
    if (failedNames.has(name)) errors.push(duplicate(at, name));
    failedNames.add(name);
    if (awaitedNames.has(name)) {
      errors.push(
        invalid(at, name, "bindingFailureConditions must not overlap with bindingConditions"),
      );
    }
  });
  if (awaited.length === 0 && failed.length > 0) {
    const detail = "bindingConditions are required to use bindingFailureConditions";
    errors.push(invalid(awaitedPath, null, detail));
  }
  if (failed.length === 0 && awaited.length > 0) {
    const detail = "bindingFailureConditions are required to use bindingConditions";
    errors.push(invalid(failedPath, null, detail));
  }
}
