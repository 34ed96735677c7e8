import { posix } from "node:path";

/**
 * The path asked of the backend, for what followed `…/proxy` in the request's; "" where not even a slash did. Dot
 * segments are resolved, and cannot lead out.
 *
 * @param rest decoded, without slashes at its ends
 * @param requestPath the whole path as it was sent
 */
export function proxiedPath(rest: string, requestPath: string): string {
  const slash = requestPath.endsWith("/") ? "/" : "";
  if (rest === "") return slash;
  const clean = posix.normalize(`/${rest}`);
  const path = escapePath(clean);
  return path.endsWith("/") ? path : `${path}${slash}`;
}

/** The request's path up to and including `…/proxy`: what links of the backend's pages have to begin with. */
export function proxyPrefix(requestPath: string, backendPath: string): string {
  return requestPath.endsWith(backendPath)
    ? requestPath.slice(0, requestPath.length - backendPath.length)
    : requestPath;
}

/** Escapes as Go's net/url does for paths. */
function escapePath(path: string): string {
  return encodeURIComponent(path)
    .replace(/%(24|26|2B|2C|2F|3A|3B|3D|40)/g, (escaped) => decodeURIComponent(escaped))
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
