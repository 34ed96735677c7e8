import { ApiError } from "../../../api/api-error.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";

/** Refuses, as Invalid, what the kind itself refuses. */
export function checkReview<T extends KubernetesObject>(
  resource: ResourceDefinition<T>,
  review: T,
): void {
  const errors = resource.validate?.(review) ?? [];
  if (errors.length > 0) throw ApiError.invalid(resource, "", errors);
}
