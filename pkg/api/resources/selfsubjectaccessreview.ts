import {
  type SelfSubjectAccessReview,
  selfSubjectAccessReviewSchema,
} from "../generated/authorization-v1.generated.ts";
import { defineResource } from "../resource.ts";
import { validateAccessQuestion, validateReviewMeta } from "../shared/access-review.ts";

export const selfSubjectAccessReviewResource = defineResource<SelfSubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectAccessReview",
  plural: "selfsubjectaccessreviews",
  scope: "cluster",
  schema: selfSubjectAccessReviewSchema,
  verbs: ["create"],
  storage: "none",
  validate: ({ metadata, spec }) => [
    ...validateAccessQuestion(spec),
    ...validateReviewMeta(metadata),
  ],
});
