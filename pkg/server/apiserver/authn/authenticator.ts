import type { IncomingHttpHeaders } from "node:http";

/** Who asks: `user.Info` of Kubernetes. */
export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** A certificate that a client has shown, and that it has the key for. The same value for all of a connection's requests. */
export interface PresentedCertificate {
  /** DER, the client's own first, as far as the connection knows who issued it. */
  readonly chain: readonly Uint8Array[];
  /** Whether any of the authorities that the listener knows vouches for it. */
  readonly isVerified: boolean;
}

/** What a request brings to prove who it is from. */
export interface Credentials {
  readonly clientCertificate: PresentedCertificate | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** What one way of finding out says: it was not used, it was used wrongly, or it proves who asks. */
export type AuthenticationResult =
  | { readonly outcome: "none" | "wrong" }
  | { readonly outcome: "user"; readonly user: UserInfo };

/** One way of finding out who asks. */
export type RequestAuthenticator = (credentials: Credentials) => AuthenticationResult;

/** Finds out who asks. Throws an `ApiError` Unauthorized where credentials are wrong, or missing where they must not. */
export interface Authenticator {
  authenticate(credentials: Credentials): UserInfo | Promise<UserInfo>;
}

export const anonymousUser: UserInfo = {
  username: "system:anonymous",
  groups: ["system:unauthenticated"],
};
