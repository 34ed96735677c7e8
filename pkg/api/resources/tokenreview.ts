import { type TokenReview, tokenReviewSchema } from "../generated/authentication-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const tokenReviewResource = defineResource<TokenReview>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenReview",
  plural: "tokenreviews",
  scope: "cluster",
  schema: tokenReviewSchema,
  verbs: ["create"],
  storage: "none",
});
