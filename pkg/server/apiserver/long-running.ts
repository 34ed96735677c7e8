import type { RequestInfo } from "./request-info.ts";

/** Subresources whose requests are meant to last, or are answered by others. */
export const longRunningSubresources: ReadonlySet<string> = new Set([
  "attach",
  "exec",
  "log",
  "portforward",
  "proxy",
]);

/** Whether a request is meant to last: then it has no time by which it must be answered. */
export function lasts(info: RequestInfo): boolean {
  if (info.type === "path") return false;
  return info.verb === "watch" || longRunningSubresources.has(info.subresource);
}
