import { type IncomingMessage, ServerResponse } from "node:http";
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { MendableError } from "../../base/mendable-error.ts";
import type { Service } from "../../base/service.ts";
import type { App } from "./app.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import { Http2Exchange } from "./http2-exchange.ts";

export interface TlsMaterial {
  /** PEM, the leaf first. */
  readonly certificate: string;
  readonly key: string;
  /** PEM: who may vouch for clients. */
  readonly clientAuthorities: string;
}

export interface ListenDeps {
  readonly app: App;
  /** Called when the server is told to stop: whatever would last is to end. */
  drain(): void;
  readonly tls: TlsMaterial;
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The port in use, once there is one, and the server's life. */
export interface ApiListener extends Service {
  /** Resolves once connections are accepted; rejects where the address cannot be had. */
  listening(): Promise<{ readonly port: number }>;
  /** For the certificates of a later day: new connections see them at once. */
  renew(tls: TlsMaterial): void;
}

/** How long the requests under way may take after the server was told to stop. */
const drainMs = 3_000;
/** Connections whose last answer has ended are let go of this often meanwhile. */
const closeIdleEveryMs = 50;
/** A client that vanished without a word is noticed, though nothing is sent to it. */
const keepAliveMs = 60_000;
/** A client that does not finish saying what it wants within this is cut off. */
const headersTimeoutMs = 30_000;
const handshakeTimeoutMs = 10_000;
const headerBytesMax = 64 * 1024;
/**
 * What the requests of all connections may send ahead of being read. While there are few, each gets so much of it that
 * writers are not held up; however many there are, each gets what the protocol gives it anyway.
 */
const allWindowsBytes = 16 * 1024 * 1024;
const connectionWindowBytesMin = 64 * 1024;
const connectionWindowBytesMax = 4 * 1024 * 1024;

/** Serves the app over TLS, in HTTP/2 and 1.1. Every client is asked for a certificate; none has to have one. */
export function createListener(deps: ListenDeps): ApiListener {
  const { app, tls, host, port, clock, logger } = deps;
  const server: Http2SecureServer = createSecureServer({
    ...secureOptions(tls),
    allowHTTP1: true,
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: handshakeTimeoutMs,
    // Watches of one client share a connection: client-go opens one for each kind.
    settings: {
      maxConcurrentStreams: 1_000,
      initialWindowSize: 1024 * 1024,
      maxHeaderListSize: headerBytesMax,
    },
    maxSessionMemory: 64,
  });
  // A listener for HTTP/1.1 alone: streams of HTTP/2 would be dressed up as such for it.
  server.on("request", (incoming, outgoing) => {
    void app(
      new Http1Exchange(
        incoming as unknown as IncomingMessage,
        outgoing as unknown as ServerResponse,
      ),
    );
  });
  server.removeAllListeners("stream");
  server.on("stream", (stream, headers) => {
    if (headers[":method"] === "CONNECT") {
      stream.respond({ ":status": 405 }, { endStream: true });
      return;
    }
    if (headers["expect"] === "100-continue") stream.additionalHeaders({ ":status": 100 });
    void app(new Http2Exchange(stream, headers));
  });
  server.setTimeout(0);
  Object.assign(server, {
    headersTimeout: headersTimeoutMs,
    requestTimeout: 0,
    keepAliveTimeout: 90_000,
  });

  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  server.on("session", (session) => {
    sessions.add(session);
    session.setLocalWindowSize(
      Math.max(
        connectionWindowBytesMin,
        Math.min(connectionWindowBytesMax, Math.floor(allWindowsBytes / sessions.size)),
      ),
    );
    session.once("close", () => sessions.delete(session));
    // A connection that breaks is the client's affair, and told by its requests.
    session.on("error", () => session.destroy());
  });
  server.on("secureConnection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveMs);
  });
  server.on("tlsClientError", (error, socket) => {
    logger.debug("a TLS handshake failed", { error: error.message });
    socket.destroy();
  });
  server.on("upgrade", (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    // The same chain as for any request decides; only in the end somebody may take the connection.
    const outgoing = new ServerResponse(incoming);
    outgoing.shouldKeepAlive = false;
    outgoing.assignSocket(socket);
    let taken = false;
    const take = () => {
      taken = true;
      outgoing.detachSocket(socket);
    };
    outgoing.once("finish", () => {
      if (!taken) socket.end();
    });
    void app(new Http1Exchange(incoming, outgoing, { request: incoming, socket, head, take }));
  });

  const ready = Promise.withResolvers<{ readonly port: number }>();
  // Whoever runs the service hears of the failure; `listening` may have nobody waiting.
  ready.promise.catch(() => {});

  return {
    name: "apiserver",
    listening: () => ready.promise,
    renew: (next) => server.setSecureContext(secureOptions(next)),
    async run(signal) {
      const closed = Promise.withResolvers<void>();
      server.once("error", (error) => {
        const failure = new MendableError(`cannot listen on ${host}:${port}: ${reasonOf(error)}`, {
          cause: error,
        });
        ready.reject(failure);
        closed.reject(failure);
      });
      server.once("close", () => closed.resolve());
      server.listen({ host, port }, () => {
        const address = server.address();
        ready.resolve({
          port: typeof address === "object" && address !== null ? address.port : port,
        });
      });
      const drain = () => {
        server.close();
        deps.drain();
        for (const session of sessions) session.close();
        const cut = () => {
          for (const session of sessions) session.destroy();
          for (const socket of sockets) socket.destroy();
        };
        const cancelCut = clock.after(drainMs, cut);
        let cancelSweep = () => {};
        const sweep = () => {
          closeIdle(sockets, sessions);
          cancelSweep = clock.after(closeIdleEveryMs, sweep);
        };
        sweep();
        const cancel = () => {
          cancelCut();
          cancelSweep();
        };
        closed.promise.then(cancel, cancel);
      };
      if (signal.aborted) drain();
      else signal.addEventListener("abort", drain, { once: true });
      try {
        await closed.promise;
      } finally {
        signal.removeEventListener("abort", drain);
      }
    },
  };
}

/** Connections of HTTP/1.1 that wait for a next request would keep the server from ending. */
function closeIdle(sockets: ReadonlySet<Socket>, sessions: ReadonlySet<ServerHttp2Session>): void {
  const multiplexed = new Set([...sessions].map((session) => session.socket));
  for (const socket of sockets) {
    const current = socket as Socket & { readonly _httpMessage?: unknown };
    if (!multiplexed.has(socket as never) && !current._httpMessage) socket.end();
  }
}

function secureOptions({ certificate, key, clientAuthorities }: TlsMaterial) {
  return { cert: certificate, key, ca: clientAuthorities, minVersion: "TLSv1.2" as const };
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "EADDRINUSE":
      return "the port is in use; stop what uses it, or choose another port";
    case "EACCES":
      return "this user may not use that port; choose one above 1023, or run as root";
    case "EADDRNOTAVAIL":
      return "the machine does not have that address; choose one that it has";
    default:
      return error.message;
  }
}
