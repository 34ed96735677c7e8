import type { Exchange } from "./exchange.ts";
import type { PathHandler } from "./path-handler.ts";
import { replyJson } from "./reply.ts";

/** `/`: the paths there are, for those who look around. */
export function rootPath(paths: readonly string[]): PathHandler {
  const known = paths.filter((path) => !/[:*]|.\/$/.test(path));
  const body = { paths: [...new Set(known)].sort() };
  return { path: "/", handle: (exchange: Exchange) => replyJson(exchange, 200, body) };
}
