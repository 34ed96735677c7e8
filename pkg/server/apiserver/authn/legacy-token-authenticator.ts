import { createHash, type KeyObject, timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Secret } from "../../../api/generated/core-v1.generated.ts";
import { secretResource } from "../../../api/resources/secret.ts";
import { serviceAccountResource } from "../../../api/resources/serviceaccount.ts";
import { formatTime } from "../../../api/time.ts";
import type { Clock } from "../../../base/clock.ts";
import type { ObjectReader } from "../admission/admission.ts";
import { serviceAccountGroups, serviceAccountUsername } from "./service-account-authenticator.ts";
import {
  issuerOf,
  type LegacyTokenClaims,
  legacyIssuer,
  verifyToken,
} from "./service-account-token.ts";
import { forAudiences, type TokenAuthenticator } from "./token-authenticator.ts";

export interface LegacyTokenDeps {
  readonly publicKeys: readonly KeyObject[];
  /** Audiences of the API itself. */
  readonly audiences: readonly string[];
  readonly reader: ObjectReader;
  readonly clock: Clock;
  /** Called once a day for a token that is used: `date` is to be seen on its Secret. Must not wait. */
  noteUse(namespace: string, secretName: string, date: string): void;
}

/** On a Secret with a token: the day of its last use. */
export const lastUsedLabel = "kubernetes.io/legacy-token-last-used";
/** On a Secret whose token is not valid any more, though it is there. */
const invalidSinceLabel = "kubernetes.io/legacy-token-invalid-since";

const verifiedTokensMax = 1_024;
const tokenCharactersMax = 16_384;

/** ServiceAccount tokens that lie in Secrets: valid as long as the Secret and the account are there. */
export function createLegacyTokenAuthenticator(deps: LegacyTokenDeps): TokenAuthenticator {
  const { reader, clock } = deps;
  const verified = new LRUCache<string, LegacyTokenClaims>({ max: verifiedTokensMax });
  /** What has been noted already, so that a burst of requests is one write. */
  const noted = new LRUCache<string, string>({ max: verifiedTokensMax });

  const claimsOf = (token: string): LegacyTokenClaims | undefined => {
    if (token.length > tokenCharactersMax || issuerOf(token) !== legacyIssuer) return undefined;
    const hash = createHash("sha256").update(token).digest("base64");
    const known = verified.get(hash);
    if (known !== undefined) return known;
    const claims = verifyToken(token, deps.publicKeys) as LegacyTokenClaims | undefined;
    if (claims !== undefined) verified.set(hash, claims);
    return claims;
  };

  const noteUse = ({ metadata }: Secret): void => {
    const { namespace = "", name } = metadata;
    const date = formatTime(clock.now()).slice(0, 10);
    const key = `${namespace}/${name}`;
    if (metadata.labels?.[lastUsedLabel] === date || noted.get(key) === date) return;
    noted.set(key, date);
    deps.noteUse(namespace, name, date);
  };

  return forAudiences(deps.audiences, (token) => {
    const claims = claimsOf(token);
    if (claims === undefined) return undefined;
    const namespace = claims["kubernetes.io/serviceaccount/namespace"];
    const name = claims["kubernetes.io/serviceaccount/service-account.name"];
    const uid = claims["kubernetes.io/serviceaccount/service-account.uid"];
    const secretName = claims["kubernetes.io/serviceaccount/secret.name"];
    const secret = reader.get(secretResource, namespace, secretName);
    if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) return undefined;
    if (!isSame(Buffer.from(secret.data?.["token"] ?? "", "base64"), Buffer.from(token))) {
      return undefined;
    }
    const account = reader.get(serviceAccountResource, namespace, name);
    if (account?.metadata.uid !== uid || account.metadata.deletionTimestamp !== undefined) {
      return undefined;
    }
    noteUse(secret);
    if ((secret.metadata.labels?.[invalidSinceLabel] ?? "") !== "") return undefined;
    return {
      username: serviceAccountUsername(namespace, name),
      uid,
      groups: serviceAccountGroups(namespace),
    };
  });
}

function isSame(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
