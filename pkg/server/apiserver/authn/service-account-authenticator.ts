import { createHash, type KeyObject } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import { nodeResource } from "../../../api/resources/node.ts";
import { podResource } from "../../../api/resources/pod.ts";
import { secretResource } from "../../../api/resources/secret.ts";
import { serviceAccountResource } from "../../../api/resources/serviceaccount.ts";
import type { Clock } from "../../../base/clock.ts";
import type { ObjectReader } from "../admission/admission.ts";
import type { UserInfo } from "./authenticator.ts";
import {
  type BoundObject,
  issuerOf,
  type ServiceAccountClaims,
  verifyToken,
} from "./service-account-token.ts";
import type { TokenAuthenticator } from "./token-authenticator.ts";

export interface TokenAuthenticatorDeps {
  readonly issuer: string;
  readonly publicKeys: readonly KeyObject[];
  /** Audiences of the API itself. */
  readonly audiences: readonly string[];
  readonly reader: ObjectReader;
  readonly clock: Clock;
}

/** Signatures verified lately are not verified again; everything else is looked at each time. */
const verifiedTokensMax = 4_096;
/** What a token is bound to counts as there this long after its deletion began. */
const deletionLeewayMs = 60_000;
/** Longer texts are no tokens of ours. */
const tokenCharactersMax = 16_384;

/** ServiceAccount tokens that were requested: they end with their time, and with what they are bound to. */
export function createTokenAuthenticator(deps: TokenAuthenticatorDeps): TokenAuthenticator {
  const verified = new LRUCache<string, ServiceAccountClaims>({ max: verifiedTokensMax });
  const claimsOf = (token: string): ServiceAccountClaims | undefined => {
    if (token.length > tokenCharactersMax) return undefined;
    const hash = createHash("sha256").update(token).digest("base64");
    const known = verified.get(hash);
    if (known !== undefined) return known;
    if (issuerOf(token) !== deps.issuer) return undefined;
    // Only what we signed ourselves gets through, so it has the shape that we gave it.
    const claims = verifyToken(token, deps.publicKeys) as ServiceAccountClaims | undefined;
    if (claims !== undefined) verified.set(hash, claims);
    return claims;
  };
  return (token, wanted = deps.audiences) => {
    const claims = claimsOf(token);
    if (claims === undefined) return undefined;
    const seconds = deps.clock.now() / 1000;
    if (seconds < claims.nbf || seconds >= claims.exp) return undefined;
    const audiences = wanted.filter((audience) => claims.aud.includes(audience));
    if (audiences.length === 0 || !isAlive(deps, claims)) return undefined;
    return { user: userOf(claims), audiences };
  };
}

/** Whether the ServiceAccount, and all that the token is bound to, are still the same. */
function isAlive(deps: TokenAuthenticatorDeps, claims: ServiceAccountClaims): boolean {
  const { namespace, serviceaccount, pod, node, secret } = claims["kubernetes.io"];
  const deadline = deps.clock.now() - deletionLeewayMs;
  const lives = <T extends KubernetesObject>(
    resource: ResourceDefinition<T>,
    bound: BoundObject | undefined,
    within: string | undefined,
  ): boolean => {
    if (bound === undefined) return true;
    const object = deps.reader.get(resource, within, bound.name);
    if (object === undefined || object.metadata.uid !== bound.uid) return false;
    const { deletionTimestamp } = object.metadata;
    return deletionTimestamp === undefined || Date.parse(deletionTimestamp) > deadline;
  };
  return (
    lives(serviceAccountResource, serviceaccount, namespace) &&
    lives(podResource, pod, namespace) &&
    lives(secretResource, secret, namespace) &&
    // A pod's token outlives the Node object, which may be registered anew.
    (pod !== undefined || lives(nodeResource, node, undefined))
  );
}

export function serviceAccountUsername(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

function userOf(claims: ServiceAccountClaims): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims["kubernetes.io"];
  const extra: Record<string, readonly string[]> = {
    "authentication.kubernetes.io/credential-id": [`JTI=${claims.jti}`],
  };
  const add = (what: string, bound: BoundObject | undefined): void => {
    if (bound === undefined) return;
    extra[`authentication.kubernetes.io/${what}-name`] = [bound.name];
    if (bound.uid !== "") extra[`authentication.kubernetes.io/${what}-uid`] = [bound.uid];
  };
  add("node", node);
  add("pod", pod);
  return {
    username: serviceAccountUsername(namespace, serviceaccount.name),
    uid: serviceaccount.uid,
    groups: serviceAccountGroups(namespace),
    extra,
  };
}

export function serviceAccountGroups(namespace: string): readonly string[] {
  return ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
}
