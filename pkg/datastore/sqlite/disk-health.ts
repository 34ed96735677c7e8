import { backoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { DatastoreError } from "../datastore.ts";
import type { Failure } from "./protocol.ts";
import { errorOf } from "./sqlite-thread.ts";

const recoverBackoff = { firstMs: 1_000, maxMs: 30_000 };
/** A full disk refuses every write; the log says so this often. */
const fullWarningMs = 60_000;

/**
 * Whether the disk takes writes. After a failure it is asked to recover until it does; only a full disk is simply
 * tried again by the next write, because a delete may be what makes room.
 */
export class DiskHealth {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #recover: () => void;
  #failure: DatastoreError | undefined;
  #ended = false;
  #recoveries = 0;
  #nextFullWarning = Number.NEGATIVE_INFINITY;
  #stopTimer: (() => void) | undefined;
  #whenAnswered: (() => void) | undefined;

  /** `recover` asks the thread to; it answers through `onRecovered`. */
  constructor(clock: Clock, logger: Logger, recover: () => void) {
    this.#clock = clock;
    this.#logger = logger;
    this.#recover = recover;
  }

  /** Why no write may be sent, where none may. */
  get failure(): DatastoreError | undefined {
    return this.#failure;
  }

  /** There is nobody left to send to. */
  get ended(): boolean {
    return this.#ended;
  }

  onFailure(failure: Failure): void {
    if (failure.reason === "full") this.#warnFull(failure);
    if (failure.reason === "full" || this.#failure !== undefined) return;
    this.#failure = errorOf(failure);
    const { reason, message } = failure;
    this.#logger.error("the datastore takes no writes", { reason, message });
    // At once: what the failed commit left in the log must not be found there by a next start.
    if (failure.reason !== "corrupt") this.#recover();
  }

  /** Asks once more, without waiting for its time; resolves with the answer, whatever that is. */
  async askNow(): Promise<void> {
    if (this.#failure === undefined || this.#ended) return;
    this.#stopTimer?.();
    await new Promise<void>((resolve) => {
      this.#whenAnswered = resolve;
      this.#recover();
    });
    this.#stopTimer?.();
  }

  onRecovered(failure: Failure | undefined): void {
    this.#whenAnswered?.();
    if (failure !== undefined) {
      const waitMs = backoffMs(recoverBackoff, ++this.#recoveries);
      this.#stopTimer = this.#clock.after(waitMs, this.#recover);
      return;
    }
    this.#failure = undefined;
    this.#recoveries = 0;
    this.#logger.info("the datastore takes writes again");
  }

  /** For good: whether the last writes are on the disk only a new start can tell. */
  onDeath(error: DatastoreError): void {
    this.#failure = error;
    this.#ended = true;
    this.stop();
    this.#whenAnswered?.();
  }

  /** Asks for no more recoveries. */
  stop(): void {
    this.#stopTimer?.();
  }

  #warnFull({ message }: Failure): void {
    const now = this.#clock.monotonic();
    if (now < this.#nextFullWarning) return;
    this.#nextFullWarning = now + fullWarningMs;
    this.#logger.error("the datastore refused a write", { message });
  }
}
