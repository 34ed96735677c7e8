import { ApiError } from "../../../api/api-error.ts";
import type { Authenticator } from "./authenticator.ts";
import type { TokenAuthenticator } from "./service-account-authenticator.ts";
import type { CertificateAuthenticator } from "./x509-authenticator.ts";

export interface AuthenticatorDeps {
  readonly certificate: CertificateAuthenticator;
  readonly token: TokenAuthenticator;
}

/**
 * A client certificate says who asks; without one, a ServiceAccount's token. What proves nothing is Unauthorized;
 * who brings nothing is nobody, whom the caller treats as `anonymousUser`.
 */
export function createAuthenticator({ certificate, token }: AuthenticatorDeps): Authenticator {
  return {
    authenticate(credentials) {
      const { clientCertificate, bearerToken } = credentials;
      if (clientCertificate !== undefined) {
        const user = certificate(clientCertificate);
        if (user !== undefined) return Promise.resolve(user);
      }
      if (bearerToken !== undefined) {
        const user = token(bearerToken)?.user;
        if (user !== undefined) return Promise.resolve(user);
      }
      if (clientCertificate === undefined && bearerToken === undefined) {
        return Promise.resolve(undefined);
      }
      return Promise.reject(new ApiError("Unauthorized", "Unauthorized"));
    },
  };
}
