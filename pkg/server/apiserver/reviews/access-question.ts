import type {
  NonResourceAttributes,
  ResourceAttributes,
  SubjectAccessReviewStatus,
} from "../../../api/generated/authorization-v1.generated.ts";
import type { UserInfo } from "../authn/authenticator.ts";
import type { Authorizer, RequestAttributes } from "../authz/authorizer.ts";

interface AccessQuestion {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: NonResourceAttributes;
}

/** Asks the authorizer what a review asks, about `user`. */
export function answerAccess(
  authorizer: Authorizer,
  user: UserInfo,
  question: AccessQuestion,
): SubjectAccessReviewStatus {
  const { allowed, reason } = authorizer.authorize(attributesOf(user, question));
  return { allowed, ...(reason === "" ? {} : { reason }) };
}

function attributesOf(user: UserInfo, question: AccessQuestion): RequestAttributes {
  const { resourceAttributes: asked, nonResourceAttributes: path } = question;
  if (asked === undefined) {
    return { type: "path", user, verb: path?.verb ?? "", path: path?.path ?? "" };
  }
  return {
    type: "resource",
    user,
    verb: asked.verb ?? "",
    group: asked.group ?? "",
    version: asked.version ?? "",
    resource: asked.resource ?? "",
    subresource: asked.subresource ?? "",
    namespace: asked.namespace ?? "",
    name: asked.name ?? "",
  };
}
