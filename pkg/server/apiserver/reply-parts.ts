import { once } from "node:events";
import type { Writable } from "node:stream";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Exchange, Outgoing } from "./exchange.ts";
import { gzipped, gzipStream } from "./gzip.ts";
import { wantsGzip } from "./negotiation.ts";
import { headersOf, reply } from "./reply.ts";

/** Answers up to this long are one buffer; longer ones are written in parts of this size. */
const partBytes = 256 * 1024;

/**
 * Answers with the parts, one after the other, as fast as the client reads: compressed where that is much and the
 * client can read it. They are never joined to one long buffer, and others are served between them.
 */
export async function replyParts(
  exchange: Exchange,
  contentType: string,
  parts: Iterable<Uint8Array>,
): Promise<Response> {
  // Both kinds of answers are streams; their types' overloads differ.
  const outgoing = exchange.outgoing as Outgoing & Writable;
  const iterator = joined(parts)[Symbol.iterator]();
  const first = iterator.next();
  const second = iterator.next();
  const head = first.done === true ? Buffer.alloc(0) : first.value;
  if (second.done === true) return await replyLong(exchange, 200, contentType, head);
  const headers = headersOf(exchange, contentType);
  const rest = chained([head, second.value], iterator);
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  if (wantsGzip(exchange.header("accept-encoding"), head.length)) {
    outgoing.writeHead(200, { ...headers, ...gzipHeaders });
    const gzip = gzipStream();
    gone.signal.addEventListener("abort", () => gzip.destroy(), { once: true });
    gzip.pipe(outgoing);
    await writeAll(gzip, rest, gone.signal);
  } else {
    outgoing.writeHead(200, headers);
    await writeAll(outgoing, rest, gone.signal);
  }
  return RESPONSE_ALREADY_SENT;
}

/** Answers with one buffer: compressed where it is long and the client can read that. */
export function replyLong(
  exchange: Exchange,
  status: number,
  contentType: string,
  body: Uint8Array | string,
): Response | Promise<Response> {
  if (!wantsGzip(exchange.header("accept-encoding"), body.length)) {
    return reply(exchange, status, contentType, body);
  }
  return replyGzipped(exchange, status, contentType, Buffer.from(body));
}

const gzipHeaders = { "Content-Encoding": "gzip", Vary: "Accept-Encoding" };

async function replyGzipped(
  exchange: Exchange,
  status: number,
  contentType: string,
  body: Uint8Array,
): Promise<Response> {
  const bytes = (await gzipped(body)) as Uint8Array<ArrayBuffer>;
  const headers = { ...headersOf(exchange, contentType), ...gzipHeaders };
  return new Response(bytes, { status, headers });
}

/** Writes and ends, as fast as is read; gives up once nobody reads any more. */
async function writeAll(
  to: Writable,
  parts: Iterable<Uint8Array>,
  gone: AbortSignal,
): Promise<void> {
  for (const part of parts) {
    if (gone.aborted) return;
    if (to.write(part)) continue;
    try {
      await once(to, "drain", { signal: gone });
    } catch {
      return;
    }
  }
  if (!gone.aborted) to.end();
}

function* chained(heads: readonly Uint8Array[], rest: Iterator<Uint8Array>): Generator<Uint8Array> {
  yield* heads;
  for (let next = rest.next(); next.done !== true; next = rest.next()) yield next.value;
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
