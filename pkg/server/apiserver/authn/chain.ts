import { ApiError } from "../../../api/api-error.ts";
import { type Authenticator, anonymousUser, type RequestAuthenticator } from "./authenticator.ts";
import { authenticatedUser } from "./token-authenticator.ts";

export interface AuthenticatorOptions {
  /** Asked in order: the first that knows who asks says so. */
  readonly authenticators: readonly RequestAuthenticator[];
  /** Whether who brings nothing may ask as `system:anonymous`; default true. */
  readonly allowsAnonymous?: boolean;
}

/** Who brings credentials that nobody accepts is Unauthorized; who brings none is nobody, if that is allowed. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { authenticators, allowsAnonymous = true } = options;
  return {
    authenticate(credentials) {
      let isWrong = false;
      for (const authenticate of authenticators) {
        const result = authenticate(credentials);
        if (result.outcome === "user") return authenticatedUser(result.user);
        if (result.outcome === "wrong") isWrong = true;
      }
      if (isWrong || !allowsAnonymous) throw new ApiError("Unauthorized", "Unauthorized");
      return anonymousUser;
    },
  };
}
