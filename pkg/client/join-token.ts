import { createHash } from "node:crypto";

/**
 * What a node is given to join: `K10<sha256 of the server's CA bundle>::<user>:<secret>`. The hash pins the CA,
 * so that a node never shows its secret to another server.
 */
export interface JoinToken {
  /** Hex of the SHA-256 of what `/cacerts` answers; undefined for a short token, which pins nothing. */
  readonly caHash: string | undefined;
  /** `server` or `node`: whose secret it is. */
  readonly username: string;
  readonly secret: string;
}

const prefix = "K10";

/** The SHA-256, in hex, of a CA bundle as `/cacerts` answers it. */
function caBundleHash(caBundlePem: string | Uint8Array): string {
  return createHash("sha256").update(caBundlePem).digest("hex");
}

export function formatJoinToken(caBundlePem: string, username: string, secret: string): string {
  return `${prefix}${caBundleHash(caBundlePem)}::${username}:${secret}`;
}

/** Reads the full form, or a bare secret; undefined where the text is neither. */
export function parseJoinToken(text: string): JoinToken | undefined {
  const token = text.trim();
  if (token === "") return undefined;
  if (!token.startsWith(prefix)) {
    return token.includes("::")
      ? undefined
      : { caHash: undefined, username: "node", secret: token };
  }
  const match = /^K10([0-9a-f]{64})::(?:([^:]+):)?(.+)$/.exec(token);
  if (match === null) return undefined;
  const [, caHash, username = "node", secret = ""] = match;
  return { caHash, username, secret };
}

/** Whether the CA bundle a server answered is the one the token was made for. A short token trusts any. */
export function joinTokenTrusts(token: JoinToken, caBundlePem: string | Uint8Array): boolean {
  return token.caHash === undefined || token.caHash === caBundleHash(caBundlePem);
}

/** The `Authorization` header by which a node shows its secret. */
export function joinTokenAuthorization(token: JoinToken): string {
  return `Basic ${Buffer.from(`${token.username}:${token.secret}`, "utf8").toString("base64")}`;
}
