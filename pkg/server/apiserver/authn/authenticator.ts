/** Who asks: `user.Info` of Kubernetes. */
export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What a request brings to prove who it is from. */
export interface Credentials {
  /** DER of the client's certificate, where the TLS handshake has verified it against the client CA. */
  readonly clientCertificate: Uint8Array | undefined;
  readonly bearerToken: string | undefined;
}

/** Finds out who asks. No credentials at all: undefined. Wrong ones: throws an `ApiError` Unauthorized. */
export interface Authenticator {
  authenticate(credentials: Credentials, signal: AbortSignal): Promise<UserInfo | undefined>;
}

export const anonymousUser: UserInfo = {
  username: "system:anonymous",
  groups: ["system:unauthenticated"],
};
