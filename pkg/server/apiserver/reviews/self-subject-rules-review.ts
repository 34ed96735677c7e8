import { ApiError } from "../../../api/api-error.ts";
import type {
  NonResourceRule,
  ResourceRule,
  SelfSubjectRulesReview,
  SubjectRulesReviewStatus,
} from "../../../api/generated/authorization-v1.generated.ts";
import type { PolicyRule } from "../../../api/generated/rbac-v1.generated.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import { selfSubjectRulesReviewResource } from "../../../api/resources/selfsubjectrulesreview.ts";
import type { UserInfo } from "../authn/authenticator.ts";
import { nodeNameOf } from "../authz/node-authorizer.ts";
import type { RbacPolicy } from "../authz/rbac-policy.ts";
import type { VirtualResource } from "../virtual-resource.ts";

/** "What may I do in this namespace?": `kubectl auth can-i --list`. */
export function createSelfSubjectRulesReview(policy: RbacPolicy): VirtualResource {
  return {
    resource: selfSubjectRulesReviewResource as unknown as ResourceDefinition,
    create(context, _namespace, draft) {
      const review = draft as unknown as SelfSubjectRulesReview;
      const namespace = review.spec.namespace ?? "";
      if (namespace === "") throw ApiError.badRequest("no namespace on request");
      const status = rulesIn(policy, context.user, namespace);
      return { ...draft, status } as unknown as KubernetesObject;
    },
  };
}

function rulesIn(policy: RbacPolicy, user: UserInfo, namespace: string): SubjectRulesReviewStatus {
  const { grants, problems } = policy.grantsFor(user, namespace);
  const rules = [...grants].flatMap((grant) => grant.rules);
  const isNode = nodeNameOf(user) !== undefined;
  const errors = [
    ...problems,
    ...(isNode ? ["node authorizer does not support user rule resolution"] : []),
  ];
  return {
    resourceRules: rules.filter((rule) => (rule.resources ?? []).length > 0).map(resourceRule),
    nonResourceRules: rules.filter((rule) => (rule.nonResourceURLs ?? []).length > 0).map(pathRule),
    incomplete: errors.length > 0,
    ...(errors.length === 0 ? {} : { evaluationError: errors.join(", ") }),
  };
}

function resourceRule(rule: PolicyRule): ResourceRule {
  return {
    verbs: rule.verbs,
    ...(rule.apiGroups === undefined ? {} : { apiGroups: rule.apiGroups }),
    ...(rule.resources === undefined ? {} : { resources: rule.resources }),
    ...(rule.resourceNames === undefined ? {} : { resourceNames: rule.resourceNames }),
  };
}

function pathRule(rule: PolicyRule): NonResourceRule {
  return {
    verbs: rule.verbs,
    ...(rule.nonResourceURLs === undefined ? {} : { nonResourceURLs: rule.nonResourceURLs }),
  };
}
