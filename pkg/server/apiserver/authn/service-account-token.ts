import { createHash, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

/** Something a token is bound to: the token ends with it. */
export interface BoundObject {
  readonly name: string;
  readonly uid: string;
}

/** The claims of a ServiceAccount's token, as Kubernetes writes them. Times are in seconds since 1970. */
export interface ServiceAccountClaims {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly iss: string;
  readonly jti: string;
  readonly "kubernetes.io": {
    readonly namespace: string;
    readonly node?: BoundObject;
    readonly pod?: BoundObject;
    readonly secret?: BoundObject;
    readonly serviceaccount: BoundObject;
    /** From here on a token that lives longer than asked for is stale. */
    readonly warnafter?: number;
  };
  readonly nbf: number;
  readonly sub: string;
}

/** The claims of a token that lies in a Secret, and is valid as long as it lies there. */
export interface LegacyTokenClaims {
  readonly iss: typeof legacyIssuer;
  readonly sub: string;
  readonly "kubernetes.io/serviceaccount/namespace": string;
  readonly "kubernetes.io/serviceaccount/secret.name": string;
  readonly "kubernetes.io/serviceaccount/service-account.name": string;
  readonly "kubernetes.io/serviceaccount/service-account.uid": string;
}

export const legacyIssuer = "kubernetes/serviceaccount";

interface Algorithm {
  readonly name: "ES256" | "RS256";
  readonly dsaEncoding: "ieee-p1363" | "der";
}

/** One key's algorithm is fixed: a token cannot choose a weaker one. */
function algorithmOf(key: KeyObject): Algorithm {
  switch (key.asymmetricKeyType) {
    case "ec":
      if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") break;
      return { name: "ES256", dsaEncoding: "ieee-p1363" };
    case "rsa":
      return { name: "RS256", dsaEncoding: "der" };
  }
  throw new Error("the key for ServiceAccount tokens must be a P-256 or an RSA key");
}

/** A key's name in tokens and in JWKS: the base64url of the SHA-256 of its public part. */
function keyId(publicKey: KeyObject): string {
  const der = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(der).digest("base64url");
}

/** A compact JWT. */
export function signToken(
  claims: ServiceAccountClaims | LegacyTokenClaims,
  privateKey: KeyObject,
): string {
  const { name, dsaEncoding } = algorithmOf(privateKey);
  const head = encode({ alg: name, kid: keyId(createPublicKey(privateKey)) });
  const body = `${head}.${encode(claims)}`;
  const signature = sign("sha256", Buffer.from(body), { key: privateKey, dsaEncoding });
  return `${body}.${signature.toString("base64url")}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value), "utf8").toString("base64url");
}

/** Who says of itself to have issued a token, before anything is verified; undefined where the text is no token. */
export function issuerOf(token: string): unknown {
  const [, payload] = token.split(".", 2);
  if (payload === undefined) return undefined;
  return (decode(payload) as { readonly iss?: unknown } | undefined)?.iss;
}

/** What a token of one of `publicKeys` says; undefined for any other text. Times are not looked at. */
export function verifyToken(token: string, publicKeys: readonly KeyObject[]): object | undefined {
  const [head, payload, signature, more] = token.split(".");
  if (head === undefined || payload === undefined || signature === undefined) return undefined;
  if (more !== undefined) return undefined;
  const header = decode(head) as { readonly alg?: unknown; readonly kid?: unknown } | undefined;
  if (header === undefined) return undefined;
  const signed = Buffer.from(`${head}.${payload}`);
  const bytes = Buffer.from(signature, "base64url");
  for (const key of publicKeys) {
    const { name, dsaEncoding } = algorithmOf(key);
    if (header.alg !== name) continue;
    if (header.kid !== undefined && header.kid !== keyId(key)) continue;
    if (verify("sha256", signed, { key, dsaEncoding }, bytes)) return decode(payload);
  }
  return undefined;
}

function decode(part: string): object | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The public keys as a JSON Web Key Set, as `/openid/v1/jwks` answers it. */
export function jsonWebKeySet(publicKeys: readonly KeyObject[]): object {
  return {
    keys: publicKeys.map((key) => ({
      use: "sig",
      kid: keyId(key),
      alg: algorithmOf(key).name,
      ...key.export({ format: "jwk" }),
    })),
  };
}

/** What `/.well-known/openid-configuration` answers. */
export function openidConfiguration(
  issuer: string,
  jwksUri: string,
  publicKeys: readonly KeyObject[],
): object {
  return {
    issuer,
    jwks_uri: jwksUri,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [
      ...new Set(publicKeys.map((key) => algorithmOf(key).name)),
    ],
  };
}
