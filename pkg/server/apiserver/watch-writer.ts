import type { ApiError } from "../../api/api-error.ts";
import type { Revision } from "../../datastore/datastore.ts";
import type { Outgoing } from "./exchange.ts";
import type { StoredObject } from "./hub.ts";
import type { WatchEventType, WatchSink } from "./verbs/watch.ts";

/** How a watcher's events are written. */
export interface WatchEncoding {
  /** `live`: other watchers are told of the same event now. */
  event(type: WatchEventType, stored: StoredObject, live: boolean): Uint8Array;
  bookmark(revision: Revision, initial: boolean): Uint8Array;
  error(error: ApiError): Uint8Array;
}

/** A watcher that lags behind by more events than this is dropped, and asks again from where it was. */
const lagEventsMax = 4_096;
/** No more is handed to the socket at once. */
const chunkBytes = 64 * 1024;

type Queued =
  | { readonly type: WatchEventType; readonly stored: StoredObject; readonly live: boolean }
  | { readonly frame: Uint8Array };

/**
 * Writes a watch to its client as fast as the client reads. What the client has not read yet waits as references
 * to the hub's objects, not as bytes.
 */
export class WatchWriter implements WatchSink {
  readonly #outgoing: Outgoing;
  readonly #encoding: WatchEncoding;
  readonly #ended: () => void;
  #queue: Queued[] = [];
  #head = 0;
  #congested = false;
  #closing = false;
  #closed = false;
  #live = false;
  #queueMax = Number.POSITIVE_INFINITY;

  /** `ended` is called once, when nothing more will be written. */
  constructor(outgoing: Outgoing, encoding: WatchEncoding, ended: () => void) {
    this.#outgoing = outgoing;
    this.#encoding = encoding;
    this.#ended = ended;
    outgoing.on("drain", () => {
      this.#congested = false;
      this.#pump();
    });
    outgoing.on("error", () => this.#finish());
    outgoing.on("close", () => this.#finish());
  }

  /** What was there at the start has been told; from now on events are news. */
  begin(): void {
    this.#live = true;
    this.#queueMax = this.#queue.length - this.#head + lagEventsMax;
  }

  event(type: WatchEventType, stored: StoredObject): void {
    if (this.#closing) return;
    this.#queue.push({ type, stored, live: this.#live });
    if (this.#queue.length - this.#head > this.#queueMax) this.end();
  }

  bookmark(revision: Revision, initial: boolean): void {
    if (this.#closing) return;
    this.#queue.push({ frame: this.#encoding.bookmark(revision, initial) });
  }

  fail(error: ApiError): void {
    if (this.#closing) return;
    this.#queue.push({ frame: this.#encoding.error(error) });
    this.#closing = true;
    this.flush();
  }

  flush(): void {
    if (!this.#congested) this.#pump();
  }

  /** Ends the answer; what is queued and not yet on its way is not sent. */
  end(): void {
    this.#closing = true;
    this.#queue = [];
    this.#head = 0;
    if (!this.#closed) this.#outgoing.end();
    this.#finish();
  }

  #pump(): void {
    while (!this.#congested && !this.#closed && this.#head < this.#queue.length) {
      const frames: Uint8Array[] = [];
      let bytes = 0;
      while (this.#head < this.#queue.length && bytes < chunkBytes) {
        const queued = this.#queue[this.#head];
        this.#head += 1;
        if (queued === undefined) continue;
        const frame =
          "frame" in queued
            ? queued.frame
            : this.#encoding.event(queued.type, queued.stored, queued.live);
        frames.push(frame);
        bytes += frame.length;
      }
      const [only] = frames;
      const chunk = frames.length === 1 && only !== undefined ? only : Buffer.concat(frames, bytes);
      this.#congested = !this.#outgoing.write(chunk);
    }
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
      if (this.#closing) this.end();
    }
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing = true;
    this.#queue = [];
    this.#head = 0;
    this.#ended();
  }
}
