import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Context } from "hono";
import { anonymousUser, type UserInfo } from "./authn/authenticator.ts";
import type { FlowClass } from "./flow-control/flow-control.ts";
import { fieldManagerOf, type RequestContext } from "./request-context.ts";
import { type RequestInfo, requestInfoOf } from "./request-info.ts";

export type Incoming = IncomingMessage | Http2ServerRequest;
/** Both are written to in the same way; only their types' overloads differ. */
export type Outgoing = Pick<
  ServerResponse,
  | "writeHead"
  | "write"
  | "end"
  | "on"
  | "once"
  | "off"
  | "destroy"
  | "destroyed"
  | "writableEnded"
  | "flushHeaders"
> &
  (ServerResponse | Http2ServerResponse);

/** What Hono carries for us: the server's own request and response, and the exchange made of them. */
export interface AppEnv {
  readonly Bindings: { readonly incoming: Incoming; readonly outgoing: Outgoing };
  readonly Variables: { readonly exchange: Exchange };
}

export type AppContext = Context<AppEnv>;

const noQuery = new URLSearchParams();

/** One request and its answer, as the API sees them. */
export class Exchange implements RequestContext {
  readonly auditId: string;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly info: RequestInfo;
  readonly warnings: string[] = [];
  readonly incoming: Incoming;
  readonly outgoing: Outgoing;
  /** Set by authentication, and again by impersonation. */
  user: UserInfo = anonymousUser;
  /** Set once it is known where the request has to wait. */
  flow: FlowClass | undefined;
  readonly #context: AppContext;

  constructor(context: AppContext, auditId: string) {
    const { incoming, outgoing } = context.env;
    this.#context = context;
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.auditId = this.header("audit-id") ?? auditId;
    this.method = incoming.method ?? "GET";
    const url = incoming.url ?? "/";
    const question = url.indexOf("?");
    this.path = question === -1 ? url : url.slice(0, question);
    this.query = question === -1 ? noQuery : new URLSearchParams(url.slice(question + 1));
    this.info = requestInfoOf(this.method, this.path, this.query);
  }

  /** Aborts when the client is gone. */
  get signal(): AbortSignal {
    return this.#context.req.raw.signal;
  }

  get fieldManager(): string {
    return fieldManagerOf(this.header("user-agent"));
  }

  /** The first value of a header; undefined for none. */
  header(name: string): string | undefined {
    const value = this.incoming.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }
}
