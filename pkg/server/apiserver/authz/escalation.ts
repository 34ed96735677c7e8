import type { PolicyRule } from "../../../api/generated/rbac-v1.generated.ts";
import type { UserInfo } from "../authn/authenticator.ts";
import { compactRules, describeList, describeRule, missingRules } from "./policy-rule.ts";
import type { RbacPolicy } from "./rbac-policy.ts";

/** Why `user` may not grant `rules` in `namespace` ("" for the cluster): undefined where it holds them itself. */
export function escalationProblem(
  policy: RbacPolicy,
  user: UserInfo,
  namespace: string,
  rules: readonly PolicyRule[],
): string | undefined {
  const { grants, problems } = policy.grantsFor(user, namespace);
  const owned = [...grants].flatMap((grant) => grant.rules);
  const missing = missingRules(owned, rules);
  if (missing.length === 0) return undefined;
  const lines = [...new Set(compactRules(missing).map(describeRule))].sort();
  const resolution =
    problems.length === 0 ? "" : `; resolution errors: ${describeProblems(problems)}`;
  return (
    `user ${JSON.stringify(user.username)} (groups=${describeList(user.groups)}) is attempting to grant ` +
    `RBAC permissions not currently held:\n${lines.join("\n")}${resolution}`
  );
}

function describeProblems(problems: readonly string[]): string {
  return `[${problems.join(", ")}]`;
}
