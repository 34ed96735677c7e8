import type { Writable } from "node:stream";
import { BufferPool } from "./buffer-pool.ts";
import { ByteSource } from "./byte-source.ts";
import { type Answered, answered, type Exchange } from "./exchange.ts";
import { gzipped, gzipStream } from "./gzip.ts";
import { wantsGzip } from "./negotiation.ts";
import { headersOf, reply } from "./reply.ts";

/**
 * Answers up to the least of these are one buffer; longer ones are written in parts, the shorter the more answers there
 * are: what waits for a client that reads slowly is one part, and all parts together are bounded.
 */
const pools = [16, 64, 256].map((size) => new BufferPool(size * 1024, (2 * 1024) / size));
const allPartsBytes = 8 * 1024 * 1024;

/** How many long answers are under way. */
let underWay = 0;

function poolNow(): BufferPool {
  const shareBytes = allPartsBytes / underWay;
  return pools.findLast(({ bufferBytes }) => bufferBytes <= shareBytes) ?? (pools[0] as BufferPool);
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
  const iterator = parts[Symbol.iterator]();
  const source = new ByteSource(() => {
    const next = iterator.next();
    return next.done === true ? undefined : next.value;
  });
  const pool = poolNow();
  const head = pool.take();
  const headBytes = source.fill(head);
  if (headBytes < head.length) {
    const whole = Buffer.from(head.subarray(0, headBytes));
    pool.giveBack(head);
    return await replyLong(exchange, 200, contentType, whole);
  }
  const headers = headersOf(exchange, contentType);
  const { signal } = exchange;
  const begun = { part: head, pool };
  if (wantsGzip(exchange.header("accept-encoding"), headBytes)) {
    const outgoing = exchange.begin(200, { ...headers, ...gzipHeaders });
    const gzip = gzipStream();
    signal.addEventListener("abort", () => gzip.destroy(), { once: true });
    gzip.pipe(outgoing);
    await writeAll(gzip, begun, source, signal);
  } else await writeAll(exchange.begin(200, headers), begun, source, signal);
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

/** A full part, and where it belongs once it is written. */
interface Part {
  readonly part: Buffer;
  readonly pool: BufferPool;
}

/** Writes and ends, as fast as is read; gives up once nobody reads any more. */
async function writeAll(
  to: Writable,
  head: Part,
  source: ByteSource,
  gone: AbortSignal,
): Promise<void> {
  let { part, pool } = head;
  for (let bytes = part.length; bytes > 0; bytes = source.fill(part)) {
    if (!(await isWritten(to, part.subarray(0, bytes), gone))) return;
    pool.giveBack(part);
    pool = poolNow();
    part = pool.take();
  }
  pool.giveBack(part);
  to.end();
}

/** False where nobody reads any more; the bytes may still be on their way then. */
function isWritten(to: Writable, bytes: Buffer, gone: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (gone.aborted) {
      resolve(false);
      return;
    }
    const giveUp = () => resolve(false);
    gone.addEventListener("abort", giveUp, { once: true });
    to.write(bytes, (error) => {
      gone.removeEventListener("abort", giveUp);
      resolve(error === null || error === undefined);
    });
  });
}
