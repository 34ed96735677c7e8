import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** A connection whose client asked to go on in another protocol. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent beyond its request. */
  readonly head: Buffer;
  /** Takes the connection away from HTTP: whoever does is the only one to use it from then on. */
  take(): void;
}
