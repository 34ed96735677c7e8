import { invalid, invalidEach } from "../field-error.ts";
import { checkQualifiedName } from "../names.ts";
import type { FieldError } from "../resource.ts";

/** Held by every namespace until all that is in it is gone. */
export const kubernetesFinalizer = "kubernetes";

const standardFinalizers = [kubernetesFinalizer, "foregroundDeletion", "orphan"];

/** One of Kubernetes' own, or one with the prefix of whoever takes it away. */
export function checkNamespaceFinalizer(finalizer: string, path: string): readonly FieldError[] {
  const errors = [...invalidEach(path, finalizer, checkQualifiedName(finalizer))];
  if (!finalizer.includes("/") && !standardFinalizers.includes(finalizer)) {
    const detail = "name is neither a standard finalizer name nor is it fully qualified";
    errors.push(invalid(path, finalizer, detail));
  }
  return errors;
}
