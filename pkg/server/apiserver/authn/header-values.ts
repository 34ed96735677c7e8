import type { IncomingHttpHeaders } from "node:http";

/** Each value of a header that may be repeated. Node joins them with ", ", which none of ours holds. */
export function allHeaderValues(headers: IncomingHttpHeaders, name: string): readonly string[] {
  const value = headers[name];
  if (value === undefined) return [];
  return typeof value === "string" ? value.split(", ") : value;
}

/** The names, in lower case as Node has them, that begin with `prefix`. */
export function headerNamesWith(headers: IncomingHttpHeaders, prefix: string): readonly string[] {
  return Object.keys(headers).filter((name) => name.startsWith(prefix));
}

/** What comes after the prefix, its %-encoding undone where it is right. */
export function headerKey(name: string, prefix: string): string {
  const key = name.slice(prefix.length);
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
