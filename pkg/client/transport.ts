import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";
import { ApiError } from "../api/api-error.ts";
import { orAborted } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";

/** Who we say we are. */
export type Credentials =
  | { readonly type: "certificate"; readonly certificate: string; readonly privateKey: string }
  | { readonly type: "token"; readonly token: string }
  | { readonly type: "anonymous" };

export interface HttpTransportOptions {
  /** `https://host:port` of the API server. */
  readonly server: string;
  /** PEM of the authorities that may have signed the server's certificate. */
  readonly ca: string;
  /** Asked for a certificate at each connect, and for a token at each request: so both may be renewed while we run. */
  readonly credentials: () => Credentials;
  /** `User-Agent`; its part before the slash is also the field manager of our writes. */
  readonly userAgent: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface TransportRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With the query, percent-encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface TransportResponse {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  /** Must be read to its end, or the request's signal aborted. */
  readonly body: AsyncIterable<Buffer>;
}

/** Carries requests to the API server. A server that cannot be reached is an `ApiError` ServiceUnavailable. */
export interface Transport extends AsyncDisposable {
  /** Resolves with the head of the answer; aborting `signal` ends the body, too. */
  request(request: TransportRequest, signal: AbortSignal): Promise<TransportResponse>;
  /** What comes next goes over a new connection, with credentials asked for anew; what is under way ends where it is. */
  renew(): void;
}

const limits = {
  connectMs: 10_000,
  /** An idle connection is probed this often: a server that vanished without a word is noticed. */
  pingIntervalMs: 30_000,
  pingTimeoutMs: 15_000,
  /** What the server may send ahead of us, for each stream and for the connection. */
  streamWindowBytes: 1 << 20,
  sessionWindowBytes: 16 << 20,
  sessionMemoryMegabytes: 128,
};

/** One HTTP/2 connection to one API server, opened when it is first needed, and again after it broke. */
export function createHttpTransport(options: HttpTransportOptions): Transport {
  return new HttpTransport(options);
}

interface Connection {
  readonly session: ClientHttp2Session;
  readonly ready: Promise<void>;
}

class HttpTransport implements Transport {
  readonly #options: HttpTransportOptions;
  #current: Connection | undefined;
  readonly #open = new Set<ClientHttp2Session>();
  #closed = false;
  /** The server was not there when we last looked: that is told once, and not by all who ask for something. */
  #isLost = false;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
  }

  async request(request: TransportRequest, signal: AbortSignal): Promise<TransportResponse> {
    signal.throwIfAborted();
    for (let tries = 1; ; tries++) {
      const connection = this.#connection();
      try {
        await orAborted(connection.ready, signal);
        return await this.#send(connection.session, request, signal);
      } catch (caught) {
        signal.throwIfAborted();
        // The server refused the stream before looking at it: it is safe to ask once more, on a new connection.
        if (tries === 1 && wasNeverSeen(caught)) continue;
        throw this.#unreachable(caught, connection.session);
      }
    }
  }

  renew(): void {
    this.#current?.session.close();
    this.#current = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open].map(endSession));
  }

  #connection(): Connection {
    if (this.#closed) {
      throw new ApiError("ServiceUnavailable", "this client is closed: make a new one");
    }
    const { session } = this.#current ?? {};
    if (this.#current !== undefined && session?.closed === false && !session.destroyed) {
      return this.#current;
    }
    this.#current = this.#connect();
    return this.#current;
  }

  #connect(): Connection {
    const { server, ca, clock, logger } = this.#options;
    const credentials = this.#options.credentials();
    const session = connect(server, {
      ca,
      ...(credentials.type === "certificate"
        ? { cert: credentials.certificate, key: credentials.privateKey }
        : {}),
      maxSessionMemory: limits.sessionMemoryMegabytes,
      settings: { enablePush: false, initialWindowSize: limits.streamWindowBytes },
    });
    this.#open.add(session);
    let why = "the connection was closed";
    let isConnected = false;
    const ready = new Promise<void>((resolve, reject) => {
      const cancelTimeout = clock.after(limits.connectMs, () => {
        session.destroy(new Error(`no connection within ${limits.connectMs} ms`));
      });
      session.once("connect", () => {
        cancelTimeout();
        isConnected = true;
        if (this.#isLost) logger.info("the server is there again", { server });
        this.#isLost = false;
        session.setLocalWindowSize(limits.sessionWindowBytes);
        this.#probe(session);
        resolve();
      });
      session.on("error", (error: Error) => {
        why = error.message;
        logger.debug("the connection to the server broke", { server, error: why });
        reject(error);
      });
      session.once("close", () => {
        cancelTimeout();
        this.#open.delete(session);
        if (!isConnected && !this.#isLost && !this.#closed) {
          logger.warn("cannot connect to the server, trying again", { server, error: why });
          this.#isLost = true;
        }
        reject(new Error(why));
      });
    });
    // Whoever waits for it sees the failure; without a waiter it must not count as unhandled.
    ready.catch(() => undefined);
    return { session, ready };
  }

  #probe(session: ClientHttp2Session): void {
    const { clock } = this.#options;
    let cancel = () => {};
    // Once for the session's life: a listener for each ping would pile up over days.
    session.once("close", () => cancel());
    const next = () => {
      if (session.destroyed) return;
      cancel = clock.after(limits.pingIntervalMs, () => {
        if (session.destroyed) return;
        cancel = clock.after(limits.pingTimeoutMs, () => {
          session.destroy(new Error(`no answer to a ping within ${limits.pingTimeoutMs} ms`));
        });
        session.ping(() => {
          cancel();
          next();
        });
      });
    };
    next();
  }

  #send(
    session: ClientHttp2Session,
    request: TransportRequest,
    signal: AbortSignal,
  ): Promise<TransportResponse> {
    const credentials = this.#options.credentials();
    const stream = session.request(
      {
        [constants.HTTP2_HEADER_METHOD]: request.method,
        [constants.HTTP2_HEADER_PATH]: request.path,
        "user-agent": this.#options.userAgent,
        ...(credentials.type === "token" ? { authorization: `Bearer ${credentials.token}` } : {}),
        ...request.headers,
      },
      { endStream: request.body === undefined },
    );
    const abort = () => stream.close(constants.NGHTTP2_CANCEL);
    signal.addEventListener("abort", abort, { once: true });
    stream.once("close", () => signal.removeEventListener("abort", abort));
    if (request.body !== undefined) stream.end(request.body);
    return new Promise((resolve, reject) => {
      stream.once("response", (headers) => {
        const code = Number(headers[constants.HTTP2_HEADER_STATUS]);
        resolve({ code, headers, body: this.#bodyOf(stream, session, signal) });
      });
      stream.on("error", reject);
      stream.once("close", () => {
        reject(
          signal.aborted ? signal.reason : new Error("the connection broke before the answer"),
        );
      });
    });
  }

  async *#bodyOf(
    stream: ClientHttp2Stream,
    session: ClientHttp2Session,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer> {
    let isWhole = false;
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        signal.throwIfAborted();
        yield chunk;
      }
      // A stream that was reset ends without an error; it must not pass for a whole body.
      isWhole = !stream.aborted && (stream.rstCode ?? 0) === constants.NGHTTP2_NO_ERROR;
    } catch (caught) {
      signal.throwIfAborted();
      throw this.#unreachable(caught, session);
    } finally {
      if (!isWhole && !stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    }
    signal.throwIfAborted();
    if (isWhole) return;
    throw this.#unreachable(new Error("the connection broke during the answer"), session);
  }

  #unreachable(caught: unknown, { closed, destroyed }: ClientHttp2Session): ApiError {
    if (caught instanceof ApiError) return caught;
    const why = caught instanceof Error ? caught.message : String(caught);
    const cause = closed || destroyed ? new ConnectionLost(why, { cause: caught }) : caught;
    return new ApiError("ServiceUnavailable", `cannot talk to ${this.#options.server}: ${why}`, {
      cause,
    });
  }
}

/** It was not this one request that failed: there is no connection any more. */
class ConnectionLost extends Error {}

/** True where it was the connection that failed: who makes the next one tells whether it can be made. */
export function isConnectionLost(error: ApiError): boolean {
  return error.cause instanceof ConnectionLost;
}

function wasNeverSeen(caught: unknown): boolean {
  const code = caught instanceof Error && "code" in caught ? caught.code : undefined;
  return (
    code === "ERR_HTTP2_GOAWAY_SESSION" ||
    code === "ERR_HTTP2_INVALID_SESSION" ||
    (caught instanceof Error && caught.message.includes("NGHTTP2_REFUSED_STREAM"))
  );
}

function endSession(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    session.once("close", () => resolve());
    session.destroy();
  });
}
