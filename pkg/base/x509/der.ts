/** Tags of ASN.1 that certificates use. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element: tag, length, content. */
export function derElement(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), derLength(content.length), content]);
}

function derLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export function derSequence(...contents: readonly Uint8Array[]): Buffer {
  return derElement(derTag.sequence, ...contents);
}

/** `[number]` with constructed content. */
export function derContext(number: number, ...contents: readonly Uint8Array[]): Buffer {
  return derElement(0xa0 | number, ...contents);
}

/** A non-negative integer from its big-endian bytes. */
export function derInteger(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const trimmed = bytes.subarray(start);
  const negativeLooking = ((trimmed[0] ?? 0) & 0x80) !== 0;
  return derElement(derTag.integer, Buffer.from(negativeLooking ? [0] : []), trimmed);
}

export function derBoolean(value: boolean): Buffer {
  return derElement(derTag.boolean, Buffer.from([value ? 0xff : 0]));
}

export function derNull(): Buffer {
  return derElement(derTag.null);
}

export function derBitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return derElement(derTag.bitString, Buffer.from([unusedBits]), bytes);
}

/** A list of named bits, counted from the left; none of it after the last that is set. */
export function derNamedBits(numbers: readonly number[]): Buffer {
  const last = Math.max(...numbers);
  const bytes = Buffer.alloc(Math.floor(last / 8) + 1);
  for (const number of numbers) {
    const index = Math.floor(number / 8);
    bytes[index] = (bytes[index] ?? 0) | (0x80 >> (number % 8));
  }
  return derBitString(bytes, 7 - (last % 8));
}

/** An object identifier from its dotted form. */
export function derObjectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const base128: number[] = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      base128.unshift(0x80 | (left % 128));
    }
    bytes.push(...base128);
  }
  return derElement(derTag.objectIdentifier, Buffer.from(bytes));
}

/** UTCTime up to 2049, GeneralizedTime after, as RFC 5280 asks. */
export function derTime(timeMs: number): Buffer {
  const digits = new Date(timeMs)
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:T]/g, "");
  const year = Number(digits.slice(0, 4));
  return year < 2050
    ? derElement(derTag.utcTime, Buffer.from(digits.slice(2), "ascii"))
    : derElement(derTag.generalizedTime, Buffer.from(digits, "ascii"));
}

/** An element that was read: its tag, its content, and all of its bytes. */
export interface DerNode {
  readonly tag: number;
  readonly content: Buffer;
  readonly bytes: Buffer;
}

/** Reads the elements that follow each other in `bytes`; throws where they are not DER. */
export function readDer(bytes: Uint8Array): readonly DerNode[] {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nodes: DerNode[] = [];
  let at = 0;
  while (at < input.length) {
    const node = readElement(input, at);
    nodes.push(node);
    at += node.bytes.length;
  }
  return nodes;
}

/** Reads exactly one element. */
export function readDerElement(bytes: Uint8Array): DerNode {
  const [node, more] = readDer(bytes);
  if (node === undefined || more !== undefined) throw new Error("not one DER element");
  return node;
}

function readElement(input: Buffer, start: number): DerNode {
  const tag = input[start];
  const short = input[start + 1];
  if (tag === undefined || short === undefined) throw new Error("DER ends inside an element");
  let length = short;
  let head = 2;
  if (short >= 0x80) {
    const count = short & 0x7f;
    if (count === 0 || count > 4) throw new Error("DER length is not supported");
    if (start + 2 + count > input.length) throw new Error("DER ends inside an element");
    length = input.readUIntBE(start + 2, count);
    head += count;
  }
  const end = start + head + length;
  if (end > input.length) throw new Error("DER ends inside an element");
  return { tag, content: input.subarray(start + head, end), bytes: input.subarray(start, end) };
}

/** The dotted form of an object identifier's content. */
export function readObjectIdentifier(content: Uint8Array): string {
  const arcs: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    if (arcs.length === 0) {
      const first = Math.min(2, Math.floor(value / 40));
      arcs.push(first, value - first * 40);
    } else {
      arcs.push(value);
    }
    value = 0;
  }
  return arcs.join(".");
}

/** Milliseconds since 1970 of a UTCTime or GeneralizedTime. */
export function readTime(node: DerNode): number {
  const text = node.content.toString("ascii");
  const digits =
    node.tag === derTag.utcTime ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
  if (match === null) throw new Error("not a DER time");
  const [, year, month, day, hour, minute, second] = match.map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
}
