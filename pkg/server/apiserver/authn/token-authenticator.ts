import type { UserInfo } from "./authenticator.ts";

export interface AuthenticatedToken {
  readonly user: UserInfo;
  /** Those asked for that the token is meant for. */
  readonly audiences: readonly string[];
}

/** Whose token it is, for one of `audiences` (default: the API's own); undefined where it is not a valid one. */
export type TokenAuthenticator = (
  token: string,
  audiences?: readonly string[],
) => AuthenticatedToken | undefined;

/** Asks one after the other; whoever knows the token says whose it is. */
export function anyToken(authenticators: readonly TokenAuthenticator[]): TokenAuthenticator {
  return (token, audiences) => {
    for (const authenticate of authenticators) {
      const found = authenticate(token, audiences);
      if (found !== undefined) return withAuthenticated(found);
    }
    return undefined;
  };
}

/** Tokens that know of no audience are meant for the API. */
export function forAudiences(
  own: readonly string[],
  userOf: (token: string) => UserInfo | undefined,
): TokenAuthenticator {
  return (token, wanted = own) => {
    const audiences = wanted.filter((audience) => own.includes(audience));
    const user = audiences.length === 0 ? undefined : userOf(token);
    return user === undefined ? undefined : { user, audiences };
  };
}

function withAuthenticated(found: AuthenticatedToken): AuthenticatedToken {
  const user = authenticatedUser(found.user);
  return user === found.user ? found : { ...found, user };
}

const settledGroups: ReadonlySet<string> = new Set([
  "system:authenticated",
  "system:unauthenticated",
]);

/** Whoever has proved who they are is one of `system:authenticated`. */
export function authenticatedUser(user: UserInfo): UserInfo {
  if (user.username === "system:anonymous") return user;
  if (user.groups.some((group) => settledGroups.has(group))) return user;
  return { ...user, groups: [...user.groups, "system:authenticated"] };
}
