import type { IncomingHttpHeaders } from "node:http";
import type { RequestAuthenticator } from "./authenticator.ts";
import type { TokenAuthenticator } from "./token-authenticator.ts";

/** A token in the Authorization header. */
export function createBearerTokenAuthenticator(
  authenticate: TokenAuthenticator,
): RequestAuthenticator {
  return ({ headers }) => {
    const token = bearerTokenOf(headers);
    if (token === undefined) return { outcome: "none" };
    const user = authenticate(token)?.user;
    return user === undefined ? { outcome: "wrong" } : { outcome: "user", user };
  };
}

function bearerTokenOf({ authorization }: IncomingHttpHeaders): string | undefined {
  if (authorization === undefined) return undefined;
  const [scheme = "", token = ""] = authorization.trim().split(" ", 2);
  return scheme.toLowerCase() === "bearer" && token !== "" ? token : undefined;
}

const protocolPrefix = "base64url.bearer.authorization.k8s.io.";

/** A token among the protocols that a WebSocket asks for: browsers can send no header of their own. */
export function createWebSocketAuthenticator(
  authenticate: TokenAuthenticator,
): RequestAuthenticator {
  return ({ headers }) => {
    const asked = headers["sec-websocket-protocol"];
    if (asked === undefined || headers.upgrade?.toLowerCase() !== "websocket") {
      return { outcome: "none" };
    }
    const protocols = asked.split(",").map((protocol) => protocol.trim());
    const tokens = protocols.filter((protocol) => protocol.startsWith(protocolPrefix));
    if (tokens.length === 0) return { outcome: "none" };
    // One to prove who asks, and at least one more to speak.
    if (tokens.length > 1 || protocols.length < 2) return { outcome: "wrong" };
    const encoded = (tokens[0] ?? "").slice(protocolPrefix.length);
    if (!/^[A-Za-z0-9_-]+$/.test(encoded)) return { outcome: "wrong" };
    const user = authenticate(Buffer.from(encoded, "base64url").toString("utf8"))?.user;
    return user === undefined ? { outcome: "wrong" } : { outcome: "user", user };
  };
}
