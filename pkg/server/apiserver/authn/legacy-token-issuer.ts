import type { KeyObject } from "node:crypto";
import { serviceAccountUsername } from "./service-account-authenticator.ts";
import { legacyIssuer, signToken } from "./service-account-token.ts";

/** Makes the tokens that lie in Secrets: without an end, and without an audience. */
export function createLegacyTokenIssuer(privateKey: KeyObject) {
  return (token: {
    readonly namespace: string;
    readonly secretName: string;
    readonly accountName: string;
    readonly accountUid: string;
  }): string =>
    signToken(
      {
        iss: legacyIssuer,
        "kubernetes.io/serviceaccount/namespace": token.namespace,
        "kubernetes.io/serviceaccount/secret.name": token.secretName,
        "kubernetes.io/serviceaccount/service-account.name": token.accountName,
        "kubernetes.io/serviceaccount/service-account.uid": token.accountUid,
        sub: serviceAccountUsername(token.namespace, token.accountName),
      },
      privateKey,
    );
}
