import {
  type SelfSubjectRulesReview,
  selfSubjectRulesReviewSchema,
} from "../generated/authorization-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const selfSubjectRulesReviewResource = defineResource<SelfSubjectRulesReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectRulesReview",
  plural: "selfsubjectrulesreviews",
  scope: "cluster",
  schema: selfSubjectRulesReviewSchema,
  verbs: ["create"],
  storage: "none",
});
