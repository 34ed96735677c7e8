import {
  type LocalSubjectAccessReview,
  localSubjectAccessReviewSchema,
} from "../generated/authorization-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const localSubjectAccessReviewResource = defineResource<LocalSubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "LocalSubjectAccessReview",
  plural: "localsubjectaccessreviews",
  scope: "namespace",
  schema: localSubjectAccessReviewSchema,
  verbs: ["create"],
  storage: "none",
});
