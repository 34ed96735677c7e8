import type { Authorizer } from "./authorizer.ts";

/** Members may do everything, whatever the other authorizers hold. */
const superusers = "system:masters";

const superuserAuthorizer: Authorizer = {
  authorize: ({ user }) => ({ allowed: user.groups.includes(superusers), reason: "" }),
};

/** Allows what the superusers' group or any of `authorizers` allows, asked in order. */
export function createAuthorizerChain(authorizers: readonly Authorizer[]): Authorizer {
  const all = [superuserAuthorizer, ...authorizers];
  return {
    authorize(attributes) {
      const reasons: string[] = [];
      for (const authorizer of all) {
        const decision = authorizer.authorize(attributes);
        if (decision.allowed) return decision;
        if (decision.reason !== "") reasons.push(decision.reason);
      }
      return { allowed: false, reason: reasons.join("\n") };
    },
  };
}
