import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";

export interface BackendRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
}

/** What a backend answers to a request to go on in another protocol. */
export type BackendUpgrade =
  | {
      readonly outcome: "upgraded";
      readonly response: IncomingMessage;
      readonly socket: Duplex;
      readonly head: Buffer;
    }
  /** It answered as to any request: most likely with a refusal. */
  | { readonly outcome: "answered"; readonly response: IncomingMessage };

/** Whom the API server speaks to for a client: a kubelet, a pod, whatever listens on a node. */
export interface Backend {
  /** `host:port`, for links that name it. */
  readonly host: string;
  /** The answer's headers are in; its body is still to be read. Without `body`, none is sent. */
  fetch(
    request: BackendRequest,
    signal: AbortSignal,
    body?: NodeJS.ReadableStream,
  ): Promise<IncomingMessage>;
  /** On a connection of its own, that carries nothing before or after. */
  upgrade(request: BackendRequest, signal: AbortSignal): Promise<BackendUpgrade>;
}
