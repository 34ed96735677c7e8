import type { Writable } from "node:stream";
import type { ApiError } from "../../api/api-error.ts";
import type { Revision } from "../../datastore/datastore.ts";
import { BufferPool } from "./buffer-pool.ts";
import { ByteSource } from "./byte-source.ts";
import type { StoredObject } from "./hub.ts";
import type { WatchEventType, WatchSink } from "./verbs/watch.ts";

/** How a watcher's events are written. */
export interface WatchEncoding {
  /** `live`: other watchers are told of the same event now. */
  event(type: WatchEventType, stored: StoredObject, live: boolean): Uint8Array;
  /** What `event` makes of an object that was there at the start, in parts: many are joined at once. */
  stateParts?(stored: StoredObject): readonly Uint8Array[];
  bookmark(revision: Revision, initial: boolean): Uint8Array;
  error(error: ApiError): Uint8Array;
}

/** A watcher that lags behind by more events than this is dropped, and asks again from where it was. */
const lagEventsMax = 4_096;
/** The same for bytes: what it holds on to, others may have forgotten long ago. */
const lagBytesMax = 16 * 1024 * 1024;
/** No more is handed to the socket at once: it is all that a client which does not read holds of its own. */
const chunkBytes = 16 * 1024;
/** What many watches that begin at once write by turns. */
const chunks = new BufferPool(chunkBytes, 128);

type Queued =
  | { readonly type: WatchEventType; readonly stored: StoredObject }
  | { readonly frame: Uint8Array };

const nothing: readonly Queued[] = [];

/**
 * Writes a watch to its client as fast as the client reads. What the client has not read yet waits as references
 * to the hub's objects, not as bytes; what was there at the start is looked up as it is written.
 */
export class WatchWriter implements WatchSink {
  readonly #begin: () => Writable;
  readonly #encoding: WatchEncoding;
  readonly #ended: () => void;
  #outgoing: Writable | undefined;
  #state: Iterator<StoredObject> | undefined;
  /** What is being joined: the state, or frames that had to wait; undefined where there is no need to. */
  #joining: ByteSource | undefined;
  #queue: Queued[] = nothing as Queued[];
  #head = 0;
  #queuedBytes = 0;
  #congested = false;
  #closing = false;
  #closed = false;

  /**
   * `begin` is called before anything is written: what is refused before that may still be answered otherwise.
   * `ended` is called once, when nothing more will be written.
   */
  constructor(begin: () => Writable, encoding: WatchEncoding, ended: () => void) {
    this.#begin = begin;
    this.#encoding = encoding;
    this.#ended = ended;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  state(objects: Iterable<StoredObject>): void {
    this.#state = objects[Symbol.iterator]();
  }

  event(type: WatchEventType, stored: StoredObject): void {
    if (this.#closing) return;
    this.#push({ type, stored });
    this.#queuedBytes += stored.json.length;
    const lag = this.#queue.length - this.#head;
    if (lag > lagEventsMax || (lag > 1 && this.#queuedBytes > lagBytesMax)) this.end();
  }

  bookmark(revision: Revision, initial: boolean): void {
    if (this.#closing) return;
    this.#push({ frame: this.#encoding.bookmark(revision, initial) });
  }

  fail(error: ApiError): void {
    if (this.#closing) return;
    this.#push({ frame: this.#encoding.error(error) });
    this.#closing = true;
    this.flush();
  }

  flush(): void {
    if (!this.#congested) this.#pump();
  }

  /** Ends the answer; what is queued and not yet on its way is not sent. */
  end(): void {
    this.#closing = true;
    if (!this.#closed) this.#stream().end();
    this.#finish();
  }

  #push(queued: Queued): void {
    if (this.#queue === nothing) this.#queue = [queued];
    else this.#queue.push(queued);
  }

  #stream(): Writable {
    if (this.#outgoing === undefined) {
      const outgoing = this.#begin();
      outgoing.on("close", () => this.#finish());
      this.#outgoing = outgoing;
    }
    return this.#outgoing;
  }

  #pump(): void {
    const outgoing = this.#stream();
    while (!this.#congested && !this.#closed && this.#writeNext(outgoing)) {}
    if (this.#isEmpty && this.#joining === undefined) {
      this.#queue = nothing as Queued[];
      this.#head = 0;
      this.#queuedBytes = 0;
      if (this.#closing && !this.#congested) this.end();
    }
  }

  /** False where there was nothing to write. */
  #writeNext(outgoing: Writable): boolean {
    if (this.#joining !== undefined) return this.#writeJoined(outgoing, this.#joining);
    const frame = this.#state === undefined ? this.#nextFrame() : undefined;
    if (frame !== undefined && (this.#isEmpty || frame.length >= chunkBytes)) {
      this.#write(outgoing, frame);
      return true;
    }
    if (frame === undefined && this.#isEmpty) return false;
    this.#joining = new ByteSource(this.#partsFrom(frame));
    return true;
  }

  #writeJoined(outgoing: Writable, joining: ByteSource): boolean {
    const chunk = chunks.take();
    const bytes = joining.fill(chunk);
    if (!joining.hasRest && this.#isEmpty) this.#joining = undefined;
    if (bytes === 0) {
      chunks.giveBack(chunk);
      return false;
    }
    this.#congested = true;
    outgoing.write(chunk.subarray(0, bytes), (error) => {
      // Where the stream broke, it may still be on its way.
      if (error === null || error === undefined) chunks.giveBack(chunk);
      this.#goOn(error);
    });
    return true;
  }

  /** The stream itself would take several times as much before it says that it is enough. */
  #write(outgoing: Writable, frame: Uint8Array): void {
    if (outgoing.writableLength + frame.length < chunkBytes) {
      outgoing.write(frame);
      return;
    }
    this.#congested = true;
    outgoing.write(frame, (error) => this.#goOn(error));
  }

  #goOn(error: Error | null | undefined): void {
    this.#congested = false;
    if (error === null || error === undefined) this.#pump();
  }

  /** `first`, and then whatever there is when it is asked for. */
  #partsFrom(first: Uint8Array | undefined): () => Uint8Array | undefined {
    const { stateParts } = this.#encoding;
    let ready: readonly Uint8Array[] = first === undefined ? [] : [first];
    let at = 0;
    return () => {
      const part = ready[at++];
      if (part !== undefined) return part;
      if (this.#state === undefined || stateParts === undefined) return this.#nextFrame();
      const next = this.#state.next();
      if (next.done === true) {
        this.#state = undefined;
        return this.#nextFrame();
      }
      ready = stateParts(next.value);
      at = 1;
      return ready[0];
    };
  }

  get #isEmpty(): boolean {
    return this.#state === undefined && this.#head === this.#queue.length;
  }

  #nextFrame(): Uint8Array | undefined {
    if (this.#state !== undefined) {
      const next = this.#state.next();
      if (next.done !== true) return this.#encoding.event("ADDED", next.value, false);
      this.#state = undefined;
    }
    const queued = this.#queue[this.#head];
    if (queued === undefined) return undefined;
    this.#head += 1;
    if ("frame" in queued) return queued.frame;
    this.#queuedBytes -= queued.stored.json.length;
    return this.#encoding.event(queued.type, queued.stored, true);
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing = true;
    this.#state = undefined;
    this.#joining = undefined;
    this.#queue = nothing as Queued[];
    this.#head = 0;
    this.#ended();
  }
}
