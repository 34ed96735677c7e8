import { posix } from "node:path";

/** Where a link was found, and what it has to begin with to be found through the proxy. */
export interface LinkContext {
  /** `host:port` of the backend. */
  readonly backendHost: string;
  /** The Host that the client asked for. */
  readonly requestHost: string;
  /** The request's path up to and including `…/proxy`. */
  readonly prefix: string;
}

/**
 * A link of a backend's answer as it has to be for who came through the proxy: paths of the backend itself begin with
 * the proxy's; relative links and those to other hosts stay as they are.
 */
export function rewriteLink(link: string, context: LinkContext): string {
  const match = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is.exec(link);
  if (match === null) return link;
  const [, scheme = "", host = "", path = "", tail = ""] = match;
  const { backendHost, requestHost, prefix } = context;
  const isElsewhere = host !== "" && host !== backendHost && host !== requestHost;
  if (isElsewhere || !path.startsWith("/") || (scheme !== "" && host === "")) return link;
  const origin =
    host !== "" && host === requestHost ? `${scheme === "" ? "" : `${scheme}:`}//${host}` : "";
  if (path.startsWith(prefix)) return `${origin}${path}${tail}`;
  const joined = posix.join(prefix, path);
  const slash = path.endsWith("/") && !joined.endsWith("/") ? "/" : "";
  return `${origin}${joined}${slash}${tail}`;
}
