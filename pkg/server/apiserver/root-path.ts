import type { Exchange } from "./exchange.ts";
import type { PathHandler } from "./path-handler.ts";
import { replyJson } from "./reply.ts";

/** `/`: the paths there are, for those who look around. */
export function rootPath(paths: () => readonly string[]): PathHandler {
  return {
    path: "/",
    handle(exchange: Exchange) {
      const known = paths().filter((path) => !/[:*]|.\/$/.test(path));
      return replyJson(exchange, 200, { paths: [...new Set(known)].sort() });
    },
  };
}
