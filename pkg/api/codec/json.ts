import { type DuplicateKeys, parseJsonSlowly } from "./json-parser.ts";

export interface ParsedJson {
  readonly value: unknown;
  /** The keys that were written twice, where any were and they were asked for. */
  readonly duplicates: DuplicateKeys | undefined;
}

/** Deeper values are refused: what walks a value may do so recursively. */
export const jsonDepthMax = 1_000;

/**
 * Reads JSON as Kubernetes does: every digit of an int64 is kept (as a `bigint` where a number would lose some),
 * invalid UTF-8 becomes U+FFFD, the last of two equal keys wins, and `__proto__` is a key like any other.
 * Throws a `JsonError` in Go's words.
 *
 * The common text is scanned once and left to `JSON.parse`. Only what that cannot do (long integers, lone
 * surrogates, saying what is wrong, saying which key came twice) takes the parser in `json-parser.ts`.
 */
export function parseJson(
  input: Uint8Array | string,
  options: { readonly findDuplicates?: boolean } = {},
): ParsedJson {
  const bytes = typeof input === "string" ? Buffer.from(input) : input;
  const scanned = scan(bytes);
  const text = typeof input === "string" ? input : textOf(input);
  if (scanned.needsCare) return parseJsonSlowly(text, jsonDepthMax);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return parseJsonSlowly(text, jsonDepthMax);
  }
  const maybeDuplicates = options.findDuplicates === true && scanned.keys !== countKeys(value);
  return maybeDuplicates ? parseJsonSlowly(text, jsonDepthMax) : { value, duplicates: undefined };
}

/** `parseJson` where only the value is of interest, e.g. for what this server itself has stored. */
export function parseJsonValue(input: Uint8Array | string): unknown {
  return parseJson(input).value;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const zero = 0x30;
const nine = 0x39;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const lowerU = 0x75;
/** Escaped surrogates begin with `\ud`. */
const lowerD = 0x64;
/** The longest run of digits that always fits a number. */
const safeDigits = 15;

interface Scanned {
  /** How many keys the text holds, of all its objects, the doubled ones counted twice. */
  readonly keys: number;
  /** `JSON.parse` would refuse it, lose something of it, or go too deep. */
  readonly needsCare: boolean;
}

function scan(bytes: Uint8Array): Scanned {
  let keys = 0;
  let depth = 0;
  let digits = 0;
  let needsCare = false;
  const length = bytes.length;
  for (let at = 0; at < length; at += 1) {
    const byte = bytes[at] as number;
    if (byte === quote) {
      digits = 0;
      for (at += 1; at < length && bytes[at] !== quote; at += 1) {
        if (bytes[at] === backslash) {
          at += 1;
          if (bytes[at] === lowerU && ((bytes[at + 1] as number) | 0x20) === lowerD) {
            needsCare = true;
          }
        }
      }
    } else if (byte >= zero && byte <= nine) {
      digits += 1;
      if (digits > safeDigits) needsCare = true;
    } else {
      digits = 0;
      if (byte === colon) keys += 1;
      else if (byte === openBrace || byte === openBracket) {
        depth += 1;
        if (depth > jsonDepthMax) needsCare = true;
      } else if (byte === closeBrace || byte === closeBracket) depth -= 1;
    }
  }
  return { keys, needsCare };
}

function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object") keys += countKeys(item);
    return keys;
  }
  const object = value as Record<string, unknown>;
  for (const key in object) {
    keys += 1;
    const held = object[key];
    if (typeof held === "object") keys += countKeys(held);
  }
  return keys;
}

declare global {
  interface BigInt {
    toJSON(): unknown;
  }
}

/**
 * An integer of more than 53 bits is a `bigint` in memory, and must reach the wire as digits: this makes every
 * `JSON.stringify` of the process write it so, without the cost of a replacer.
 */
Object.defineProperty(BigInt.prototype, "toJSON", {
  configurable: true,
  writable: true,
  value(this: bigint) {
    return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(this.toString());
  },
});
