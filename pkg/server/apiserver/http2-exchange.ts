import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Readable, Writable } from "node:stream";
import type { TLSSocket } from "node:tls";
import { type AnswerHeaders, Exchange } from "./exchange.ts";

/** An exchange on a stream of HTTP/2, without the layer that makes one look like HTTP/1: it costs more than all else. */
export class Http2Exchange extends Exchange {
  readonly upgrade = undefined;
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    super(headers[":method"] ?? "GET", headers[":path"] ?? "/", headers);
    this.#stream = stream;
    // What goes wrong with a stream is the client's affair, and told by its being closed.
    stream.on("error", ignore);
  }

  get connection(): object {
    return this.#stream.session ?? this.#stream;
  }

  get socket(): TLSSocket {
    return this.#stream.session?.socket as TLSSocket;
  }

  get body(): Readable {
    return this.#stream;
  }

  get hasBody(): boolean {
    return !this.#stream.endAfterHeaders;
  }

  get isClosed(): boolean {
    const stream = this.#stream;
    return stream.destroyed || stream.closed || stream.session === undefined;
  }

  breakOff(): void {
    this.#stream.destroy();
  }

  protected beginAnswer(status: number, headers: AnswerHeaders): Writable {
    this.#stream.respond({ ":status": status, ...headers } as OutgoingHttpHeaders);
    return this.#stream;
  }

  protected sendAnswer(status: number, headers: AnswerHeaders, body: Uint8Array): void {
    const stream = this.#stream;
    const all = { ":status": status, ...headers } as OutgoingHttpHeaders;
    if (status !== 304) all["content-length"] = body.length;
    if (body.length === 0 || this.method === "HEAD") {
      stream.respond(all, { endStream: true });
    } else {
      stream.respond(all);
      stream.end(body);
    }
    if (this.hasBody && !stream.readableEnded) discardRest(stream);
  }

  protected onClosed(closed: () => void): void {
    this.#stream.once("close", closed);
  }
}

/** Of a body that is not wanted, no more is taken than this. */
const discardedBytesMax = 4 * 1024 * 1024;

/** Takes the rest of a body that nobody wants: to cut a client off may cost it the answer, which is still on its way. */
function discardRest(stream: ServerHttp2Stream): void {
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > discardedBytesMax) stream.close();
  });
}

function ignore(): void {}
