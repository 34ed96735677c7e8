import { type FieldSelector, parseFieldSelector } from "../../../api/fields.ts";
import type {
  NonResourceAttributes,
  ResourceAttributes,
  SubjectAccessReviewStatus,
} from "../../../api/generated/authorization-v1.generated.ts";
import { parseSelector } from "../../../api/labels.ts";
import type { UserInfo } from "../authn/authenticator.ts";
import type { Authorizer, Decision, RequestAttributes } from "../authz/authorizer.ts";

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
  const { resourceAttributes: asked, nonResourceAttributes: path } = question;
  if (asked === undefined) {
    const { verb = "", path: at = "" } = path ?? {};
    return statusOf(authorizer.authorize({ type: "path", user, verb, path: at }), []);
  }
  const fields = fieldSelectorOf(asked.fieldSelector);
  const attributes: RequestAttributes = {
    type: "resource",
    user,
    verb: asked.verb ?? "",
    group: asked.group ?? "",
    version: asked.version ?? "",
    resource: asked.resource ?? "",
    subresource: asked.subresource ?? "",
    namespace: asked.namespace ?? "",
    name: asked.name ?? "",
    ...(fields.selector === undefined ? {} : { fieldSelector: fields.selector }),
  };
  return statusOf(authorizer.authorize(attributes), [
    ...noteOf("fieldSelector", fields),
    ...noteOf("labelSelector", labelSelectorOf(asked.labelSelector)),
  ]);
}

function statusOf(
  { allowed, reason }: Decision,
  problems: readonly string[],
): SubjectAccessReviewStatus {
  return {
    allowed,
    ...(reason === "" ? {} : { reason }),
    ...(problems.length === 0 ? {} : { evaluationError: problems.join("; ") }),
  };
}

/** What could be read of a selector. What could not narrows nothing: the answer is about more, never about less. */
interface ReadSelector {
  readonly selector: FieldSelector | undefined;
  readonly ignores: "nothing" | "some" | "all";
}

const none: ReadSelector = { selector: undefined, ignores: "nothing" };
const unreadable: ReadSelector = { selector: undefined, ignores: "all" };

function noteOf(field: string, { ignores }: ReadSelector): readonly string[] {
  if (ignores === "nothing") return [];
  const partially = ignores === "some" ? "partially " : "";
  return [`spec.resourceAttributes.${field} ${partially}ignored due to parse error`];
}

function fieldSelectorOf(asked: ResourceAttributes["fieldSelector"]): ReadSelector {
  if (asked === undefined) return none;
  if (asked.rawSelector) {
    try {
      return { selector: parseFieldSelector(asked.rawSelector), ignores: "nothing" };
    } catch {
      return unreadable;
    }
  }
  const requirements = asked.requirements ?? [];
  // A field equals one value or differs from it; nothing else can be asked of it.
  const selector = requirements.flatMap(({ key, operator, values = [] }): FieldSelector => {
    const [value] = values;
    if (value === undefined || values.length !== 1) return [];
    if (operator === "In") return [{ field: key, operator: "=", value }];
    return operator === "NotIn" ? [{ field: key, operator: "!=", value }] : [];
  });
  if (selector.length === requirements.length) return { selector, ignores: "nothing" };
  return selector.length === 0 ? unreadable : { selector, ignores: "some" };
}

const labelOperators: ReadonlySet<string> = new Set(["In", "NotIn", "Exists", "DoesNotExist"]);

/** No authorizer looks at labels: what counts is only whether the selector can be read. */
function labelSelectorOf(asked: ResourceAttributes["labelSelector"]): ReadSelector {
  if (asked === undefined) return none;
  if (asked.rawSelector) {
    try {
      parseSelector(asked.rawSelector);
      return none;
    } catch {
      return unreadable;
    }
  }
  const requirements = asked.requirements ?? [];
  const known = requirements.filter(({ operator }) => labelOperators.has(operator));
  if (known.length === requirements.length) return none;
  return known.length === 0 ? unreadable : { selector: undefined, ignores: "some" };
}
