import type { Duplex } from "node:stream";
import { constants, inflateSync } from "node:zlib";

/** What a SPDY/3.1 client opened, and what it said there. */
export interface OpenedStream {
  readonly id: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly received: Buffer[];
  /** The client has nothing more to say. */
  ended: boolean;
}

/** The runtime's side of SPDY/3.1, which shows what a client sends and says what a test wants. */
export class SpdyServer {
  readonly streams: OpenedStream[] = [];
  /** Control frames other than SYN_STREAM. */
  readonly control: { readonly type: number; readonly body: Buffer }[] = [];
  /** The last header block as it came. */
  lastHeaderBlock: Buffer = Buffer.alloc(0);
  readonly #socket: Duplex;
  #buffer: Buffer = Buffer.alloc(0);
  #blocks: Buffer = Buffer.alloc(0);
  #plainLength = 0;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", () => {});
  }

  stream(type: string): OpenedStream {
    const found = this.streams.find(({ headers }) => headers["streamtype"] === type);
    if (found === undefined) throw new Error(`no stream of type ${type} was opened`);
    return found;
  }

  /** Resolves when the client can take more. */
  async send(type: string, data: Buffer | string, options: { readonly end?: boolean } = {}) {
    await this.write(dataFrame(this.stream(type).id, Buffer.from(data), options.end === true));
  }

  async write(bytes: Buffer): Promise<void> {
    await new Promise((resolve) => this.#socket.write(bytes, resolve));
  }

  #take(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    while (this.#buffer.length >= 8) {
      const end = 8 + this.#buffer.readUIntBE(5, 3);
      if (this.#buffer.length < end) return;
      const frame = this.#buffer.subarray(0, end);
      this.#buffer = this.#buffer.subarray(end);
      if ((frame.readUInt8(0) & 0x80) === 0) this.#data(frame);
      else if (frame.readUInt16BE(2) === 1) this.#opened(frame.subarray(8));
      else this.control.push({ type: frame.readUInt16BE(2), body: frame.subarray(8) });
    }
  }

  #data(frame: Buffer): void {
    const stream = this.streams.find(({ id }) => id === frame.readUInt32BE(0));
    if (stream === undefined) throw new Error("data on a stream that was never opened");
    if (stream.ended) throw new Error("data after the end of the stream");
    stream.received.push(frame.subarray(8));
    stream.ended = (frame.readUInt8(4) & 1) === 1;
  }

  #opened(body: Buffer): void {
    this.lastHeaderBlock = body.subarray(10);
    this.#blocks = Buffer.concat([this.#blocks, this.lastHeaderBlock]);
    const all = inflateSync(this.#blocks, { finishFlush: constants.Z_SYNC_FLUSH });
    const plain = all.subarray(this.#plainLength);
    this.#plainLength = all.length;
    let at = 4;
    const text = () => {
      const length = plain.readUInt32BE(at);
      at += 4 + length;
      return plain.toString("utf8", at - length, at);
    };
    const headers: Record<string, string> = {};
    for (let left = plain.readUInt32BE(0); left > 0; left--) {
      const name = text();
      headers[name] = text();
    }
    this.streams.push({
      id: body.readUInt32BE(0),
      headers,
      received: [],
      ended: false,
    });
  }
}

export function receivedOn(stream: OpenedStream): Buffer {
  return Buffer.concat(stream.received);
}

export function dataFrame(streamId: number, data: Buffer, end = false): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(streamId, 0);
  head.writeUInt8(end ? 1 : 0, 4);
  head.writeUIntBE(data.length, 5, 3);
  return Buffer.concat([head, data]);
}

export function controlFrame(type: number, body: readonly number[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head.writeUIntBE(body.length * 4, 5, 3);
  const words = Buffer.alloc(body.length * 4);
  for (const [index, word] of body.entries()) words.writeUInt32BE(word, index * 4);
  return Buffer.concat([head, words]);
}
