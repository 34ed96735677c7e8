import { ApiError } from "../../api/api-error.ts";
import type { Clock } from "../../base/clock.ts";
import type { Exchange } from "./exchange.ts";
import { replyError } from "./reply.ts";

/** All that a request takes: to be sent, to wait, to be done, to be read. */
export const requestTimeoutMs = 60_000;
const sweepEveryMs = 2_000;

/**
 * Ends requests that take too long, be it that a client does not send all of what it wants, or does not read the answer.
 * One timer for all, and none while there is no request.
 */
export class Deadlines {
  readonly #clock: Clock;
  /** In the order in which they came. */
  readonly #open = new Set<Exchange>();
  #isSweeping = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(exchange: Exchange): void {
    this.#open.add(exchange);
    if (!this.#isSweeping) this.#sweepLater();
  }

  delete(exchange: Exchange): void {
    this.#open.delete(exchange);
  }

  #sweepLater(): void {
    this.#isSweeping = true;
    this.#clock.after(sweepEveryMs, () => {
      this.#isSweeping = false;
      this.#sweep();
    });
  }

  #sweep(): void {
    const oldest = this.#clock.monotonic() - requestTimeoutMs;
    for (const exchange of this.#open) {
      if (exchange.startedMs > oldest) break;
      this.#open.delete(exchange);
      if (exchange.status === 0) replyError(exchange, tookTooLong());
      else exchange.breakOff();
    }
    if (this.#open.size > 0) this.#sweepLater();
  }
}

function tookTooLong(): ApiError {
  return new ApiError("Timeout", "Timeout: request did not complete within the allotted timeout", {
    details: {},
  });
}
