import type { Duplex } from "node:stream";

/**
 * The client's side of SPDY/3.1 over an upgraded connection, as far as Kubernetes' streaming needs it: streams with
 * header fields, data both ways, half-close, reset, ping. Flow control is ignored, as the runtimes' own servers do,
 * and what the server answers in header blocks is not needed, so nothing is inflated.
 * (The SPDY Protocol, draft mbelshe-httpbis-spdy-00; moby/spdystream.)
 */
export class SpdyConnection {
  readonly #socket: Duplex;
  readonly #streams = new Map<number, SpdyStream>();
  #nextStreamId = 1;
  #headersSent = false;
  #received: Buffer = Buffer.alloc(0);

  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", () => this.close());
    socket.on("close", () => this.#endAll());
    if (head.length > 0) this.#onData(head);
  }

  /** Opens a stream; header names must be lower case. */
  open(headers: Readonly<Record<string, string>>, handlers: SpdyHandlers): SpdyStream {
    const id = this.#nextStreamId;
    this.#nextStreamId += 2;
    const stream = new SpdyStream(id, handlers, (frame) => this.#socket.write(frame));
    this.#streams.set(id, stream);
    const block = this.#headerBlock(headers);
    const body = Buffer.alloc(10 + block.length);
    body.writeUInt32BE(id, 0);
    block.copy(body, 10);
    this.#socket.write(controlFrame(synStream, 0, body));
    return stream;
  }

  /** True where more is waiting to be sent than should be. */
  get needsDrain(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Resolves when the other side can take more, or is gone. One waits at a time. */
  drained(): Promise<void> {
    if (!this.needsDrain || this.#socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#socket.off("drain", done);
        this.#socket.off("close", done);
        resolve();
      };
      this.#socket.on("drain", done);
      this.#socket.on("close", done);
    });
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
    this.#endAll();
  }

  #endAll(): void {
    const open = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of open) stream.handlers.onEnd();
  }

  /**
   * Header fields as one compressed stream over the connection's life. Stored blocks are valid deflate and need no
   * dictionary: the fields are short and few. An empty block follows: only then does the reader hand on what it has.
   */
  #headerBlock(headers: Readonly<Record<string, string>>): Buffer {
    const parts: Buffer[] = [uint32(Object.keys(headers).length)];
    for (const [name, value] of Object.entries(headers)) {
      parts.push(
        uint32(Buffer.byteLength(name)),
        Buffer.from(name),
        uint32(Buffer.byteLength(value)),
        Buffer.from(value),
      );
    }
    const plain = Buffer.concat(parts);
    const stored = Buffer.alloc(5);
    stored.writeUInt16LE(plain.length, 1);
    stored.writeUInt16LE(plain.length ^ 0xffff, 3);
    const zlibHeader = this.#headersSent ? [] : [Buffer.from([0x78, 0x01])];
    this.#headersSent = true;
    return Buffer.concat([...zlibHeader, stored, plain, emptyStoredBlock]);
  }

  #onData(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 8) {
      const length = this.#received.readUIntBE(5, 3);
      if (this.#received.length < 8 + length) return;
      const frame = this.#received.subarray(0, 8 + length);
      this.#received = this.#received.subarray(8 + length);
      this.#onFrame(frame);
    }
  }

  #onFrame(frame: Buffer): void {
    const flags = frame.readUInt8(4);
    const body = frame.subarray(8);
    if ((frame.readUInt8(0) & 0x80) === 0) {
      const stream = this.#streams.get(frame.readUInt32BE(0));
      if (stream === undefined) return;
      if (body.length > 0) stream.handlers.onData(body);
      if ((flags & finFlag) !== 0) this.#end(stream);
      return;
    }
    switch (frame.readUInt16BE(2)) {
      case synReply:
      case rstStream: {
        const stream = this.#streams.get(body.readUInt32BE(0) & 0x7fffffff);
        const ended = frame.readUInt16BE(2) === rstStream || (flags & finFlag) !== 0;
        if (stream !== undefined && ended) this.#end(stream);
        return;
      }
      case ping:
        // Even numbers are the server's: it wants them back.
        if (body.readUInt32BE(0) % 2 === 0) this.#socket.write(controlFrame(ping, 0, body));
        return;
      case goAway:
        this.close();
        return;
      default:
    }
  }

  #end(stream: SpdyStream): void {
    if (this.#streams.delete(stream.id)) stream.handlers.onEnd();
  }
}

export interface SpdyHandlers {
  onData(data: Buffer): void;
  /** The other side has nothing more to say on this stream, or the connection is gone. Called once. */
  onEnd(): void;
}

export class SpdyStream {
  readonly id: number;
  readonly handlers: SpdyHandlers;
  readonly #write: (frame: Buffer) => void;
  #closed = false;

  constructor(id: number, handlers: SpdyHandlers, write: (frame: Buffer) => void) {
    this.id = id;
    this.handlers = handlers;
    this.#write = write;
  }

  write(data: Buffer): void {
    if (!this.#closed && data.length > 0) this.#write(dataFrame(this.id, 0, data));
  }

  /** Half-closes: the other side reads an end of file, and may go on answering. */
  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#write(dataFrame(this.id, finFlag, Buffer.alloc(0)));
  }
}

/** zlib's Z_SYNC_FLUSH. */
const emptyStoredBlock = Buffer.from([0, 0, 0, 0xff, 0xff]);

const synStream = 1;
const synReply = 2;
const rstStream = 3;
const ping = 6;
const goAway = 7;
const finFlag = 1;

function controlFrame(type: number, flags: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(body.length, 5, 3);
  return Buffer.concat([head, body]);
}

function dataFrame(streamId: number, flags: number, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(streamId, 0);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(data.length, 5, 3);
  return Buffer.concat([head, data]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
