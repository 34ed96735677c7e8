const firstBytes = 4 * 1024;
const spareBytesMax = 1024 * 1024;
/** Up to here, writing the characters one by one is cheaper than the way to whoever writes them all. */
const shortText = 32;

/** The buffer of a writer that has finished: nearly all messages are written one after the other. */
let spare: Buffer | undefined;

/** Writes messages of protobuf into one growing buffer, those within others in their places. */
export class ProtobufWriter {
  #buffer: Buffer;
  #at = 0;
  /** Where the lengths of the messages stand that are being written. */
  readonly #open: number[] = [];

  constructor() {
    this.#buffer = spare ?? Buffer.allocUnsafeSlow(firstBytes);
    spare = undefined;
  }

  tag(number: number, type: number): this {
    this.#varint(number * 8 + type);
    return this;
  }

  bool(value: boolean): this {
    this.#varint(value ? 1 : 0);
    return this;
  }

  int32(value: number): this {
    return this.int64(value);
  }

  int64(value: number | bigint): this {
    if (
      typeof value === "number" &&
      value >= 0 &&
      value <= 0x7fff_ffff &&
      Number.isInteger(value)
    ) {
      this.#varint(value);
      return this;
    }
    this.#reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) this.#buffer[this.#at++] = Number(rest & 0x7fn) | 0x80;
    this.#buffer[this.#at++] = Number(rest);
    return this;
  }

  double(value: number): this {
    this.#reserve(8);
    this.#at = this.#buffer.writeDoubleLE(value, this.#at);
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#varint(bytes.length);
    return this.raw(bytes);
  }

  /** The length of what follows: how `bytes` begins. */
  length(bytes: number): this {
    this.#varint(bytes);
    return this;
  }

  string(text: string): this {
    if (text.length <= shortText && this.#shortAscii(text)) return this;
    this.fork();
    this.#reserve(text.length * 3);
    this.#at += this.#buffer.write(text, this.#at);
    return this.join();
  }

  /** What is written up to `join` is one message, with its length before it. */
  fork(): this {
    this.#reserve(1);
    this.#open.push(this.#at);
    this.#at += 1;
    return this;
  }

  join(): this {
    const at = this.#open.pop();
    if (at === undefined) throw new Error("there is no message to end");
    const begin = at + 1;
    const length = this.#at - begin;
    // Nearly all are short: their lengths have the one byte that was left for them.
    const lengthBytes = varintBytes(length);
    if (lengthBytes > 1) {
      this.#reserve(lengthBytes - 1);
      this.#buffer.copyWithin(at + lengthBytes, begin, this.#at);
    }
    this.#at = at;
    this.#varint(length);
    this.#at += length;
    return this;
  }

  /** All that was written. The writer is not to be used any more. */
  finish(): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(this.#at);
    this.#buffer.copy(bytes, 0, 0, this.#at);
    if (this.#buffer.length <= spareBytesMax) spare = this.#buffer;
    return bytes;
  }

  /** False where the text is not of ASCII alone: then nothing is written. */
  #shortAscii(text: string): boolean {
    this.#reserve(1 + text.length);
    const buffer = this.#buffer;
    const begin = this.#at + 1;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      buffer[begin + index] = code;
    }
    buffer[this.#at] = text.length;
    this.#at = begin + text.length;
    return true;
  }

  #varint(value: number): void {
    this.#reserve(5);
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#buffer[this.#at++] = (rest & 0x7f) | 0x80;
    this.#buffer[this.#at++] = rest;
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
  }
}

/** How many bytes a number below 2³² takes. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes += 1;
  return bytes;
}
