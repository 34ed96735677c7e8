import type { Clock } from "../../../base/clock.ts";
import type { TokenAuthenticator } from "../authn/token-authenticator.ts";
import type { Authorizer } from "../authz/authorizer.ts";
import type { RbacPolicy } from "../authz/rbac-policy.ts";
import type { VirtualResource } from "../virtual-resource.ts";
import { createSelfSubjectReview } from "./self-subject-review.ts";
import { createSelfSubjectRulesReview } from "./self-subject-rules-review.ts";
import {
  createLocalSubjectAccessReview,
  createSelfSubjectAccessReview,
  createSubjectAccessReview,
} from "./subject-access-reviews.ts";
import { createTokenReview } from "./token-review.ts";

export interface ReviewDeps {
  readonly authorizer: Authorizer;
  readonly policy: RbacPolicy;
  readonly authenticateToken: TokenAuthenticator;
  readonly clock: Clock;
}

/** Every review kind: what is posted is answered, and nothing is stored. */
export function createReviews(deps: ReviewDeps): readonly VirtualResource[] {
  return [
    createSelfSubjectAccessReview(deps.authorizer),
    createSubjectAccessReview(deps.authorizer),
    createLocalSubjectAccessReview(deps.authorizer),
    createSelfSubjectRulesReview(deps.policy),
    createSelfSubjectReview(deps.clock),
    createTokenReview(deps.authenticateToken),
  ];
}
