import type { Authorizer } from "./authorizer.ts";
import { ruleAllows } from "./policy-rule.ts";
import type { RbacPolicy } from "./rbac-policy.ts";

/** Allows what a role allows that is bound to the user or to one of its groups. */
export function createRbacAuthorizer(policy: RbacPolicy): Authorizer {
  return {
    authorize(attributes) {
      const namespace = attributes.type === "resource" ? attributes.namespace : "";
      const { grants, problems } = policy.grantsFor(attributes.user, namespace);
      for (const { rules, source } of grants) {
        if (rules.some((rule) => ruleAllows(rule, attributes))) {
          return { allowed: true, reason: `RBAC: allowed by ${source}` };
        }
      }
      if (problems.length === 0) return { allowed: false, reason: "" };
      const text = problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`;
      return { allowed: false, reason: `RBAC: ${text}` };
    },
  };
}
