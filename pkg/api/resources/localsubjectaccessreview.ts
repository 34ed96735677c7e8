import { invalid } from "../field-error.ts";
import {
  type LocalSubjectAccessReview,
  localSubjectAccessReviewSchema,
} from "../generated/authorization-v1.generated.ts";
import { defineResource, type FieldError } from "../resource.ts";
import {
  validateAccessQuestion,
  validateAccessSubject,
  validateReviewMeta,
} from "../shared/access-review.ts";

export const localSubjectAccessReviewResource = defineResource<LocalSubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "LocalSubjectAccessReview",
  plural: "localsubjectaccessreviews",
  scope: "namespace",
  schema: localSubjectAccessReviewSchema,
  verbs: ["create"],
  storage: "none",
  validate({ spec, metadata }) {
    const errors: FieldError[] = [
      ...validateAccessQuestion(spec),
      ...validateAccessSubject(spec),
      ...validateReviewMeta(metadata, ["namespace"]),
    ];
    const namespace = spec.resourceAttributes?.namespace;
    if (spec.resourceAttributes !== undefined && namespace !== metadata.namespace) {
      errors.push(
        invalid("spec.resourceAttributes.namespace", namespace, "must match metadata.namespace"),
      );
    }
    if (spec.nonResourceAttributes !== undefined) {
      errors.push(
        invalid(
          "spec.nonResourceAttributes",
          spec.nonResourceAttributes,
          "disallowed on this kind of request",
        ),
      );
    }
    return errors;
  },
});
