import { invalid } from "../field-error.ts";
import type {
  NonResourceAttributes,
  ResourceAttributes,
} from "../generated/authorization-v1.generated.ts";
import type { FieldError } from "../resource.ts";

interface AccessQuestion {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: NonResourceAttributes;
}

/** A review asks either about a resource or about a path. */
export function validateAccessQuestion({
  resourceAttributes,
  nonResourceAttributes,
}: AccessQuestion): readonly FieldError[] {
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    return [
      invalid(
        "spec.nonResourceAttributes",
        nonResourceAttributes,
        "cannot be specified in combination with resourceAttributes",
      ),
    ];
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    return [
      invalid(
        "spec.resourceAttributes",
        undefined,
        "exactly one of nonResourceAttributes or resourceAttributes must be specified",
      ),
    ];
  }
  return [];
}

/** A review about somebody else has to say about whom. */
export function validateAccessSubject({
  user = "",
  groups = [],
}: {
  readonly user?: string;
  readonly groups?: readonly string[];
}): readonly FieldError[] {
  return user === "" && groups.length === 0
    ? [invalid("spec.user", user, "at least one of user or group must be specified")]
    : [];
}
