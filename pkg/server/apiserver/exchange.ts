import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Readable, Writable } from "node:stream";
import type { TLSSocket } from "node:tls";
import { anonymousUser, type UserInfo } from "./authn/authenticator.ts";
import type { FlowClass } from "./flow-control/flow-control.ts";
import { fieldManagerOf, type RequestContext } from "./request-context.ts";
import { type RequestInfo, requestInfoOf } from "./request-info.ts";
import type { Upgrade } from "./upgrade.ts";

/** What whoever has answered a request returns, so that none is left without an answer. */
export interface Answered {
  readonly answered: true;
}
export const answered: Answered = Object.freeze({ answered: true });

export type AnswerHeaders = Readonly<Record<string, string | readonly string[]>>;

const noQuery = new URLSearchParams();

/** One request and its answer, as the API sees them, whichever HTTP they came in. */
export abstract class Exchange implements RequestContext {
  readonly auditId: string;
  readonly method: string;
  /** As it was sent: with its query, and nothing decoded. */
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly info: RequestInfo;
  readonly headers: IncomingHttpHeaders;
  readonly warnings: string[] = [];
  /** Set by authentication, and again by impersonation. */
  user: UserInfo = anonymousUser;
  /** Set once it is known where the request has to wait. */
  flow: FlowClass | undefined;
  /** On the monotonic clock. */
  startedMs = 0;
  /** What was answered; 0: nothing yet. */
  status = 0;
  #aborting: AbortController | undefined;
  /** Set with the body, where that is large. */
  pause: (() => Promise<void>) | undefined = undefined;

  constructor(method: string, url: string, headers: IncomingHttpHeaders) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.auditId = this.header("audit-id") ?? randomUUID();
    const question = url.indexOf("?");
    this.path = question === -1 ? url : url.slice(0, question);
    this.query = question === -1 ? noQuery : new URLSearchParams(url.slice(question + 1));
    this.info = requestInfoOf(method, this.path, this.query);
  }

  /** The same for all requests of one connection. */
  abstract readonly connection: object;
  abstract readonly socket: TLSSocket;
  abstract readonly body: Readable;
  abstract readonly hasBody: boolean;
  /** A connection whose client asked to go on in another protocol; undefined for an ordinary request. */
  abstract readonly upgrade: Upgrade | undefined;
  /** The stream of the answer is closed, or never was. */
  abstract readonly isClosed: boolean;
  /** Ends the exchange as it is: the client sees that it got no answer, or not all of it. */
  abstract breakOff(): void;
  protected abstract beginAnswer(status: number, headers: AnswerHeaders): Writable;
  protected abstract sendAnswer(status: number, headers: AnswerHeaders, body: Uint8Array): void;
  protected abstract onClosed(closed: () => void): void;

  /** Aborts when the client is gone. */
  get signal(): AbortSignal {
    if (this.#aborting === undefined) {
      const aborting = new AbortController();
      this.#aborting = aborting;
      if (this.isClosed) aborting.abort();
      else this.onClosed(() => aborting.abort());
    }
    return this.#aborting.signal;
  }

  get fieldManager(): string {
    return fieldManagerOf(this.header("user-agent"));
  }

  /** The first value of a header; undefined for none. */
  header(name: string): string | undefined {
    const value = this.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** Begins an answer that is written bit by bit. Throws where the client is gone. */
  begin(status: number, headers: AnswerHeaders): Writable {
    if (this.status !== 0 || this.isClosed) throw new ClientGoneError();
    this.status = status;
    return this.beginAnswer(status, headers);
  }

  /** The whole answer. Where the client is gone, nobody is told. */
  send(status: number, headers: AnswerHeaders, body: Uint8Array | string): Answered {
    if (this.status !== 0) return answered;
    this.status = status;
    if (!this.isClosed) {
      this.sendAnswer(status, headers, typeof body === "string" ? Buffer.from(body) : body);
    }
    return answered;
  }
}

/** There is nobody left to answer. */
export class ClientGoneError extends Error {
  constructor() {
    super("the client is gone");
    this.name = "ClientGoneError";
  }
}
