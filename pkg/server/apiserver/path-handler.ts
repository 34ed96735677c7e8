import type { Answered, Exchange } from "./exchange.ts";

/** Answers to a path that is no resource: health, version, discovery, … */
export interface PathHandler {
  /** As Hono writes routes. */
  readonly path: string;
  /** Upper-case; default: only GET. */
  readonly methods?: readonly string[];
  handle(exchange: Exchange): Answered | Promise<Answered>;
}
