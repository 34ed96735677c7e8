import { ApiError } from "../../../api/api-error.ts";
import type {
  TokenReview,
  TokenReviewStatus,
} from "../../../api/generated/authentication-v1.generated.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import { tokenReviewResource } from "../../../api/resources/tokenreview.ts";
import type { TokenAuthenticator } from "../authn/token-authenticator.ts";
import type { VirtualResource } from "../virtual-resource.ts";
import { checkReview } from "./check-review.ts";
import { reviewedUser } from "./self-subject-review.ts";

/** "Whose token is this?" */
export function createTokenReview(authenticate: TokenAuthenticator): VirtualResource {
  return {
    resource: tokenReviewResource as unknown as ResourceDefinition,
    create(_context, _namespace, draft) {
      const review = draft as unknown as TokenReview;
      checkReview(tokenReviewResource, review);
      const { token = "", audiences } = review.spec;
      if (token === "")
        throw ApiError.badRequest("token is required for TokenReview in authentication");
      const status = statusOf(authenticate, token, audiences);
      return { ...draft, status } as unknown as KubernetesObject;
    },
  };
}

function statusOf(
  authenticate: TokenAuthenticator,
  token: string,
  audiences: readonly string[] | undefined,
): TokenReviewStatus {
  const found = authenticate(token, audiences?.length ? audiences : undefined);
  if (found === undefined) return { user: {}, error: "invalid bearer token" };
  return {
    authenticated: true,
    user: reviewedUser(found.user),
    audiences: found.audiences,
  };
}
