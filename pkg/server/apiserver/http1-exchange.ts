import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable, Writable } from "node:stream";
import type { TLSSocket } from "node:tls";
import { type AnswerHeaders, Exchange } from "./exchange.ts";
import type { Upgrade } from "./upgrade.ts";

/** Of a body that is refused, this much is still taken, and thrown away. */
const discardedBytesMax = 16 * 1024 * 1024;

/** An exchange of HTTP/1.1. */
export class Http1Exchange extends Exchange {
  readonly upgrade: Upgrade | undefined;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, upgrade?: Upgrade) {
    super(incoming.method ?? "GET", incoming.url ?? "/", incoming.headers);
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.upgrade = upgrade;
    incoming.on("error", ignore);
    outgoing.on("error", ignore);
  }

  get connection(): object {
    return this.#incoming.socket;
  }

  get socket(): TLSSocket {
    return this.#incoming.socket as TLSSocket;
  }

  get body(): Readable {
    return this.#incoming;
  }

  get hasBody(): boolean {
    const { "content-length": length, "transfer-encoding": encoding } = this.headers;
    return encoding !== undefined || (length !== undefined && length !== "0");
  }

  get isClosed(): boolean {
    // What has been read to its end is destroyed, too.
    return this.#outgoing.destroyed || this.#incoming.socket.destroyed;
  }

  breakOff(): void {
    this.#outgoing.destroy();
  }

  protected beginAnswer(status: number, headers: AnswerHeaders): Writable {
    const outgoing = this.#outgoing;
    outgoing.writeHead(status, this.#closing(headers));
    outgoing.flushHeaders();
    return outgoing;
  }

  protected sendAnswer(status: number, headers: AnswerHeaders, body: Uint8Array): void {
    const all = status === 304 ? headers : { ...headers, "Content-Length": String(body.length) };
    this.#outgoing.writeHead(status, this.#closing(all));
    if (this.#isStillSent) this.#endAfterBody(body);
    else this.#outgoing.end(body);
  }

  /** A client that still sends reads the answer only afterwards: a connection that broke would take it away. */
  #endAfterBody(body: Uint8Array): void {
    const incoming = this.#incoming;
    let left = discardedBytesMax;
    this.#outgoing.write(body);
    const end = () => {
      incoming.off("data", discard);
      this.#outgoing.end();
    };
    const discard = (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) end();
    };
    incoming.on("data", discard);
    incoming.once("end", end);
    incoming.once("close", end);
    incoming.resume();
  }

  protected onClosed(closed: () => void): void {
    this.#outgoing.once("close", closed);
  }

  /** A body that nobody is going to read any more need not be sent to its end. */
  #closing(headers: AnswerHeaders): Record<string, string | string[]> {
    const all = { ...headers } as Record<string, string | string[]>;
    if (this.#isStillSent) all["Connection"] = "close";
    return all;
  }

  get #isStillSent(): boolean {
    return this.hasBody && !this.#incoming.complete;
  }
}

function ignore(): void {}
