import { type ClientRequest, type Agent as HttpAgent, request as httpRequest } from "node:http";
import { type Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from "node:https";
import type { LookupFunction } from "node:net";
import type { Backend, BackendRequest } from "./backend.ts";

export interface HttpBackendOptions {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  /** For `https`: whom to trust, and what to show. */
  readonly tls?: Pick<RequestOptions, "ca" | "cert" | "key" | "rejectUnauthorized">;
  /** Keeps connections for the next request. Default: each request has its own. */
  readonly agent?: HttpAgent | HttpsAgent;
  /** Default: the machine's own. */
  readonly lookup?: LookupFunction;
  /** What the client is told where the backend cannot be reached. */
  unreachable(cause: Error): Error;
}

/** A backend that is not heard of within this is taken to be unreachable. */
const connectTimeoutMs = 30_000;

/** A backend that speaks HTTP/1.1 at one address. Redirects are answers like any other: never followed. */
export function createHttpBackend(options: HttpBackendOptions): Backend {
  const { scheme, host, port, lookup, tls = {}, unreachable } = options;
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const request = scheme === "https" ? httpsRequest : httpRequest;

  function open(asked: BackendRequest, signal: AbortSignal, agent: HttpBackendOptions["agent"]) {
    const opened: ClientRequest = request({
      host,
      port,
      method: asked.method,
      path: asked.path,
      headers: { host: authority, ...asked.headers },
      signal,
      agent: agent ?? false,
      ...tls,
      ...(lookup === undefined ? {} : { lookup }),
    });
    let answered = false;
    opened.once("response", () => {
      answered = true;
    });
    opened.setTimeout(connectTimeoutMs, () => {
      // Once it has answered, silence is no fault: logs are followed for days.
      if (!answered) opened.destroy(new Error(`no answer within ${connectTimeoutMs} ms`));
    });
    return opened;
  }

  return {
    host: authority,
    fetch(asked, signal, body) {
      return new Promise((resolve, reject) => {
        const opened = open(asked, signal, options.agent);
        opened.once("response", resolve);
        // Not asked for, and so not to be had: nothing of ours would read the socket.
        opened.once("upgrade", (_response, socket) => {
          socket.destroy();
          reject(unreachable(new Error("it switched protocols without being asked to")));
        });
        opened.once("error", (cause) => reject(unreachable(cause)));
        if (body === undefined) opened.end();
        else body.pipe(opened);
      });
    },
    upgrade(asked, signal) {
      return new Promise((resolve, reject) => {
        const opened = open(asked, signal, undefined);
        opened.once("upgrade", (response, socket, head) => {
          socket.setTimeout(0);
          resolve({ outcome: "upgraded", response, socket, head });
        });
        opened.once("response", (response) => resolve({ outcome: "answered", response }));
        opened.once("error", (cause) => reject(unreachable(cause)));
        opened.end();
      });
    },
  };
}
