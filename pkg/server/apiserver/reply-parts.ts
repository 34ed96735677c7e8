import { once } from "node:events";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Exchange } from "./exchange.ts";
import { headersOf, reply } from "./reply.ts";

/** Answers up to this long are one buffer; longer ones are written in parts of this size. */
const partBytes = 256 * 1024;

/**
 * Answers with the parts, one after the other, as fast as the client reads. They are never joined to one long
 * buffer, and others are served between them.
 */
export async function replyParts(
  exchange: Exchange,
  contentType: string,
  parts: Iterable<Uint8Array>,
): Promise<Response> {
  const { outgoing } = exchange;
  const iterator = joined(parts)[Symbol.iterator]();
  const first = iterator.next();
  let next = iterator.next();
  const head = first.done === true ? Buffer.alloc(0) : first.value;
  if (next.done === true) return reply(exchange, 200, contentType, head);
  outgoing.writeHead(200, headersOf(exchange, contentType));
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  let flows = outgoing.write(head);
  while (next.done !== true && !gone.signal.aborted) {
    if (!flows) {
      try {
        await once(outgoing, "drain", { signal: gone.signal });
      } catch {
        break;
      }
    }
    flows = outgoing.write(next.value);
    next = iterator.next();
  }
  if (!gone.signal.aborted) outgoing.end();
  return RESPONSE_ALREADY_SENT;
}

function* joined(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for (const part of parts) {
    waiting.push(part);
    bytes += part.length;
    if (bytes < partBytes) continue;
    yield Buffer.concat(waiting, bytes);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting, bytes);
}
