import {
  type SubjectAccessReview,
  subjectAccessReviewSchema,
} from "../generated/authorization-v1.generated.ts";
import { defineResource } from "../resource.ts";
import {
  validateAccessQuestion,
  validateAccessSubject,
  validateReviewMeta,
} from "../shared/access-review.ts";

export const subjectAccessReviewResource = defineResource<SubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SubjectAccessReview",
  plural: "subjectaccessreviews",
  scope: "cluster",
  schema: subjectAccessReviewSchema,
  verbs: ["create"],
  storage: "none",
  validate: ({ metadata, spec }) => [
    ...validateAccessQuestion(spec),
    ...validateAccessSubject(spec),
    ...validateReviewMeta(metadata),
  ],
});
