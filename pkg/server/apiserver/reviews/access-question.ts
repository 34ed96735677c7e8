import type { FieldSelector } from "../../../api/fields.ts";
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
  const fieldSelector = selectorOf(asked.fieldSelector);
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
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}

/** What can be asked for by field equals or differs; other requirements narrow nothing. */
function selectorOf(asked: ResourceAttributes["fieldSelector"]): FieldSelector | undefined {
  return asked?.requirements?.flatMap(({ key, operator, values = [] }): FieldSelector => {
    const [value] = values;
    if (value === undefined || values.length !== 1) return [];
    if (operator === "In") return [{ field: key, operator: "=", value }];
    return operator === "NotIn" ? [{ field: key, operator: "!=", value }] : [];
  });
}
