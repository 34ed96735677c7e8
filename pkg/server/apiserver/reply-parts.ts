import { once } from "node:events";
import type { Writable } from "node:stream";
import { type Answered, answered, type Exchange } from "./exchange.ts";
import { gzipped, gzipStream } from "./gzip.ts";
import { wantsGzip } from "./negotiation.ts";
import { headersOf, reply } from "./reply.ts";

/**
 * Answers up to this long are one buffer; longer ones are written in parts of this size, or of smaller ones while there
 * are many: what waits for a client that reads slowly is one part, and all parts together are bounded.
 */
const partBytesMax = 256 * 1024;
const partBytesMin = 16 * 1024;
const allPartsBytes = 8 * 1024 * 1024;

/** How many long answers are under way. */
let underWay = 0;

function partBytes(): number {
  return Math.max(partBytesMin, Math.min(partBytesMax, Math.floor(allPartsBytes / underWay)));
}

/**
 * Answers with the parts, one after the other, as fast as the client reads: compressed where that is much and the
 * client can read it. They are never joined to one long buffer, and others are served between them.
 */
export async function replyParts(
  exchange: Exchange,
  contentType: string,
  parts: Iterable<Uint8Array>,
): Promise<Answered> {
  underWay += 1;
  try {
    return await writeParts(exchange, contentType, parts);
  } finally {
    underWay -= 1;
  }
}

async function writeParts(
  exchange: Exchange,
  contentType: string,
  parts: Iterable<Uint8Array>,
): Promise<Answered> {
  const iterator = joined(parts)[Symbol.iterator]();
  const first = iterator.next();
  const second = iterator.next();
  const head = first.done === true ? Buffer.alloc(0) : first.value;
  if (second.done === true) return await replyLong(exchange, 200, contentType, head);
  const headers = headersOf(exchange, contentType);
  const rest = chained([head, second.value], iterator);
  const { signal } = exchange;
  if (wantsGzip(exchange.header("accept-encoding"), head.length)) {
    const outgoing = exchange.begin(200, { ...headers, ...gzipHeaders });
    const gzip = gzipStream();
    signal.addEventListener("abort", () => gzip.destroy(), { once: true });
    gzip.pipe(outgoing);
    await writeAll(gzip, rest, signal);
  } else await writeAll(exchange.begin(200, headers), rest, signal);
  return answered;
}

/** Answers with one buffer: compressed where it is long and the client can read that. */
export function replyLong(
  exchange: Exchange,
  status: number,
  contentType: string,
  body: Uint8Array | string,
): Answered | Promise<Answered> {
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
): Promise<Answered> {
  const bytes = await gzipped(body);
  return exchange.send(status, { ...headersOf(exchange, contentType), ...gzipHeaders }, bytes);
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
    if (bytes < partBytes()) continue;
    yield Buffer.concat(waiting, bytes);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting, bytes);
}
