import {
  type SelfSubjectReview,
  selfSubjectReviewSchema,
} from "../generated/authentication-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const selfSubjectReviewResource = defineResource<SelfSubjectReview>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "SelfSubjectReview",
  plural: "selfsubjectreviews",
  scope: "cluster",
  schema: selfSubjectReviewSchema,
  verbs: ["create"],
  storage: "none",
});
