import {
  type BootstrapHandler,
  bootstrapHeaders,
  bootstrapPaths,
} from "../../../api/node-bootstrap.ts";
import type { PathHandler } from "../path-handler.ts";
import { readBody } from "../read-body.ts";
import { reply } from "../reply.ts";

const headerNames = ["authorization", ...Object.values(bootstrapHeaders)];

/** The paths by which nodes join. Open ones: whoever joins has no identity yet, and shows the join token. */
export function nodeBootstrapPaths(handle: BootstrapHandler): readonly PathHandler[] {
  return Object.values(bootstrapPaths).map((path) => ({
    path,
    methods: ["GET", "POST"],
    async handle(exchange) {
      const body = await readBody(exchange);
      const answer = await handle(
        {
          method: exchange.method,
          path,
          headers: Object.fromEntries(headerNames.map((name) => [name, exchange.header(name)])),
          body: body.toString("utf8"),
        },
        exchange.signal,
      );
      if (answer === undefined) throw new Error(`nobody answers ${path}`);
      return reply(exchange, answer.status, answer.contentType, answer.body);
    },
  }));
}
