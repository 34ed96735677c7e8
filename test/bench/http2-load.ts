import { connect, type TLSSocket } from "node:tls";

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly ca: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** In place of a certificate. */
  readonly token?: string;
}

/** What a request says besides what it asks for. */
export interface RequestTypes {
  /** Default: JSON. */
  readonly contentType?: string;
  readonly accept?: string;
}

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

interface Stream {
  status: number;
  onData(chunk: Buffer): void;
  onEnd(error?: Error): void;
}

/** Data to send that found the server's window shut. */
interface Waiting {
  readonly stream: number;
  readonly body: Buffer;
  sent: number;
}

const frameHeaderBytes = 9;
const frame = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
} as const;
const flag = { ack: 1, endStream: 1, endHeaders: 4 } as const;
const setting = { headerTableSize: 1, enablePush: 2, initialWindowSize: 4 } as const;
const windowBytesMax = 0x7fff_ffff;
const defaultWindowBytes = 65_535;
const frameBytesMax = 16_384;

/**
 * A client of HTTP/2 that costs a tenth of Node's own: a bench shares its few cores with what it measures, and
 * Node's client is dearer than the server. It knows just enough: one connection, no header compression (so that
 * a status is two bytes), windows that never close on the way back.
 */
export class Http2Load implements Disposable {
  readonly #socket: TLSSocket;
  readonly #authorization: Buffer;
  readonly #streams = new Map<number, Stream>();
  readonly #waiting: Waiting[] = [];
  #nextStream = 1;
  #rest: Buffer = Buffer.alloc(0);
  #outgoing: Buffer[] = [];
  #sendWindow = defaultWindowBytes;
  #streamWindow = defaultWindowBytes;
  #received = 0;
  #failure: Error | undefined;

  private constructor(socket: TLSSocket, token: string | undefined) {
    this.#socket = socket;
    this.#authorization =
      token === undefined ? Buffer.alloc(0) : literal([0x0f, 23 - 15], `Bearer ${token}`);
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#onChunk(chunk));
    const fail = (error: Error) => {
      this.#failure ??= error;
      for (const stream of this.#streams.values()) stream.onEnd(this.#failure);
      this.#streams.clear();
    };
    socket.on("error", fail);
    socket.on("close", () => fail(new Error("the connection was closed")));
    this.#send(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1"));
    this.#send(
      settingsFrame([
        [setting.headerTableSize, 0],
        [setting.enablePush, 0],
        [setting.initialWindowSize, windowBytesMax],
      ]),
    );
    this.#send(windowFrame(0, windowBytesMax - defaultWindowBytes));
  }

  static connect({ host, port, ca, cert, key, token }: Target): Promise<Http2Load> {
    const socket = connect({
      ...{ host, port, ca, ALPNProtocols: ["h2"], servername: "" },
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.once("secureConnect", () => {
        socket.off("error", reject);
        resolve(new Http2Load(socket, token));
      });
    });
  }

  /** One request and its whole answer. */
  request(method: string, path: string, body?: Buffer, types?: RequestTypes): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      const stream: Stream = {
        status: 0,
        onData: (chunk) => chunks.push(chunk),
        onEnd(error) {
          if (error !== undefined) reject(error);
          else
            resolve({
              status: stream.status,
              body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks),
            });
        },
      };
      this.#open(method, path, body, stream, types);
    });
  }

  /** One request, of whose answer only the status is kept. */
  discard(method: string, path: string): Promise<{ readonly status: number }> {
    return new Promise((resolve, reject) => {
      const stream: Stream = {
        status: 0,
        onData() {},
        onEnd: (error) =>
          error === undefined ? resolve({ status: stream.status }) : reject(error),
      };
      this.#open(method, path, undefined, stream);
    });
  }

  /** A request whose answer does not end: resolves when it begins, and hands on what comes. */
  watch(path: string, onData: (chunk: Buffer) => void): void {
    this.#open("GET", path, undefined, {
      status: 0,
      onData,
      onEnd() {},
    });
  }

  /** Reads so slowly from here on that the server's end of the connection fills up. */
  stall(): void {
    this.#socket.pause();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #open(
    method: string,
    path: string,
    body: Buffer | undefined,
    stream: Stream,
    types?: RequestTypes,
  ): void {
    if (this.#failure !== undefined) {
      stream.onEnd(this.#failure);
      return;
    }
    const id = this.#nextStream;
    this.#nextStream += 2;
    this.#streams.set(id, stream);
    const block = Buffer.concat([headerBlock(method, path, types), this.#authorization]);
    const flags = flag.endHeaders | (body === undefined ? flag.endStream : 0);
    this.#send(frameOf(frame.headers, flags, id, block));
    if (body === undefined) return;
    this.#waiting.push({ stream: id, body, sent: 0 });
    this.#pump();
  }

  #pump(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const left = first.body.length - first.sent;
      const streamLeft = this.#streamWindow - first.sent;
      const bytes = Math.min(left, frameBytesMax, this.#sendWindow, streamLeft);
      if (bytes <= 0) return;
      const last = bytes === left;
      const part = first.body.subarray(first.sent, first.sent + bytes);
      this.#send(frameOf(frame.data, last ? flag.endStream : 0, first.stream, part));
      this.#sendWindow -= bytes;
      first.sent += bytes;
      if (last) this.#waiting.shift();
    }
  }

  /** All of one turn in one write. */
  #send(bytes: Buffer): void {
    if (this.#outgoing.push(bytes) > 1) return;
    process.nextTick(() => {
      const parts = this.#outgoing;
      this.#outgoing = [];
      if (!this.#socket.destroyed) this.#socket.write(Buffer.concat(parts));
    });
  }

  #onChunk(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= frameHeaderBytes) {
      const length = bytes.readUIntBE(at, 3);
      const end = at + frameHeaderBytes + length;
      if (end > bytes.length) break;
      const type = bytes[at + 3] ?? 0;
      const flags = bytes[at + 4] ?? 0;
      const id = bytes.readUInt32BE(at + 5);
      this.#onFrame(type, flags, id, bytes.subarray(at + frameHeaderBytes, end));
      at = end;
    }
    this.#rest = at === bytes.length ? Buffer.alloc(0) : bytes.subarray(at);
  }

  #onFrame(type: number, flags: number, id: number, payload: Buffer): void {
    const stream = this.#streams.get(id);
    switch (type) {
      case frame.data:
        this.#onReceived(payload.length);
        if (payload.length > 0) stream?.onData(payload);
        if (flags & flag.endStream) this.#end(id, stream);
        return;
      case frame.headers:
        if (stream !== undefined) stream.status = statusOf(payload);
        if (flags & flag.endStream) this.#end(id, stream);
        return;
      case frame.reset:
        this.#streams.delete(id);
        stream?.onEnd(new Error(`the server reset the stream: code ${payload.readUInt32BE(0)}`));
        return;
      case frame.settings:
        if (flags & flag.ack) return;
        this.#onSettings(payload);
        this.#send(frameOf(frame.settings, flag.ack, 0, Buffer.alloc(0)));
        return;
      case frame.ping:
        if (!(flags & flag.ack)) this.#send(frameOf(frame.ping, flag.ack, 0, payload));
        return;
      case frame.windowUpdate:
        // Bodies here are shorter than a stream's first window, so only the connection's counts.
        if (id === 0) {
          this.#sendWindow += payload.readUInt32BE(0);
          this.#pump();
        }
        return;
      default:
        return;
    }
  }

  #onSettings(payload: Buffer): void {
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      if (payload.readUInt16BE(at) === setting.initialWindowSize)
        this.#streamWindow = payload.readUInt32BE(at + 2);
    }
  }

  #onReceived(bytes: number): void {
    this.#received += bytes;
    if (this.#received < windowBytesMax / 2) return;
    this.#send(windowFrame(0, this.#received));
    this.#received = 0;
  }

  #end(id: number, stream: Stream | undefined): void {
    this.#streams.delete(id);
    stream?.onEnd();
  }
}

function frameOf(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(frameHeaderBytes + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  payload.copy(bytes, frameHeaderBytes);
  return bytes;
}

function settingsFrame(settings: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(6 * settings.length);
  for (const [index, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  }
  return frameOf(frame.settings, 0, 0, payload);
}

function windowFrame(stream: number, bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frameOf(frame.windowUpdate, 0, stream, payload);
}

/** Indexes of HPACK's static table: names, and whole fields. */
const field = { get: 0x82, post: 0x83, https: 0x87 } as const;
const authority = literal([0x01], "127.0.0.1");
const contentType = literal([0x0f, 31 - 15], "application/json");

/** Fields that are indexed in the static table, or spelled out and not kept. */
function headerBlock(method: string, path: string, types: RequestTypes = {}): Buffer {
  const methodField =
    method === "GET"
      ? Buffer.of(field.get)
      : method === "POST"
        ? Buffer.of(field.post)
        : literal([0x02], method);
  return Buffer.concat([
    methodField,
    Buffer.of(field.https),
    literal([0x04], path),
    authority,
    types.contentType === undefined ? contentType : literal([0x0f, 31 - 15], types.contentType),
    types.accept === undefined ? Buffer.alloc(0) : literal([0x0f, 19 - 15], types.accept),
  ]);
}

function literal(name: readonly number[], value: string): Buffer {
  const text = Buffer.from(value, "latin1");
  return Buffer.concat([Buffer.of(...name, ...lengthOf(text.length)), text]);
}

/** In seven bits, or in as many bytes more as it takes. */
function lengthOf(length: number): readonly number[] {
  if (length < 127) return [length];
  const bytes = [127];
  let rest = length - 127;
  for (; rest >= 128; rest >>>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}

const indexedStatuses: Readonly<Record<number, number>> = {
  [0x88]: 200,
  [0x89]: 204,
  [0x8b]: 304,
  [0x8c]: 400,
  [0x8d]: 404,
  [0x8e]: 500,
};

/** The status is the first field; without a dynamic table it is indexed, or spelled out, with or without Huffman's code. */
function statusOf(block: Buffer): number {
  let at = 0;
  // Updates of the table's size may come first.
  while (((block[at] ?? 0) & 0xe0) === 0x20) at += 1;
  const first = block[at] ?? 0;
  if (first & 0x80) return indexedStatuses[first] ?? 0;
  const length = block[at + 1] ?? 0;
  if ((length & 0x80) === 0) return Number(block.toString("latin1", at + 2, at + 2 + length));
  return Number(decodeDigits(block.subarray(at + 2, at + 2 + (length & 0x7f))));
}

/** Huffman's code of HPACK for digits: 0, 1, 2 in five bits, the others in six. */
function decodeDigits(bytes: Buffer): string {
  let bits = "";
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  let digits = "";
  for (let at = 0; digits.length < 3; ) {
    const five = Number.parseInt(bits.slice(at, at + 5), 2);
    if (five <= 2) {
      digits += five;
      at += 5;
    } else {
      digits += Number.parseInt(bits.slice(at, at + 6), 2) - 0b011001 + 3;
      at += 6;
    }
  }
  return digits;
}
