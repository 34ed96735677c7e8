/** Of each object in which a key was written more than once: which, and where. */
export type DuplicateKeys = ReadonlyMap<object, readonly DuplicateKey[]>;

export interface DuplicateKey {
  readonly key: string;
  /** How many different keys of the object stood before the repetition. */
  readonly after: number;
}

/** The text is no JSON. The message is the one that Go's decoder has for it. */
export class JsonError extends Error {}

/** Reads JSON slowly and exactly: big integers as `bigint`, doubled keys noted, errors in Go's words. */
export function parseJsonSlowly(
  text: string,
  depthMax: number,
): { readonly value: unknown; readonly duplicates: DuplicateKeys | undefined } {
  const parser = new JsonParser(text, depthMax);
  const value = parser.parse();
  return { value, duplicates: parser.duplicates.size === 0 ? undefined : parser.duplicates };
}

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class JsonParser {
  readonly duplicates = new Map<object, DuplicateKey[]>();
  private readonly text: string;
  private readonly depthMax: number;
  private at = 0;
  private depth = 0;

  constructor(text: string, depthMax: number) {
    this.text = text;
    this.depthMax = depthMax;
  }

  parse(): unknown {
    this.skipSpace();
    const value = this.value();
    this.skipSpace();
    if (this.at < this.text.length) throw this.unexpected("after top-level value");
    return value;
  }

  private value(): unknown {
    switch (this.text[this.at]) {
      case "{":
        return this.nested(() => this.object());
      case "[":
        return this.nested(() => this.array());
      case '"':
        return this.string();
      case "t":
        return this.literal("true", true);
      case "f":
        return this.literal("false", false);
      case "n":
        return this.literal("null", null);
      default:
        return this.number();
    }
  }

  private nested<T>(read: () => T): T {
    this.depth += 1;
    if (this.depth > this.depthMax) throw new JsonError("exceeded max depth");
    this.at += 1;
    const value = read();
    this.depth -= 1;
    return value;
  }

  private object(): object {
    const object: Record<string, unknown> = {};
    let keys = 0;
    this.skipSpace();
    if (this.take("}")) return object;
    for (;;) {
      this.skipSpace();
      if (this.text[this.at] !== '"') {
        throw this.unexpected("looking for beginning of object key string");
      }
      const key = this.string();
      this.skipSpace();
      if (!this.take(":")) throw this.unexpected("after object key");
      this.skipSpace();
      const value = this.value();
      if (Object.hasOwn(object, key)) this.noteDuplicate(object, { key, after: keys });
      else keys += 1;
      setOwn(object, key, value);
      this.skipSpace();
      if (this.take("}")) return object;
      if (!this.take(",")) throw this.unexpected("after object key:value pair");
    }
  }

  private noteDuplicate(object: object, duplicate: DuplicateKey): void {
    const known = this.duplicates.get(object);
    if (known === undefined) this.duplicates.set(object, [duplicate]);
    else known.push(duplicate);
  }

  private array(): unknown[] {
    const items: unknown[] = [];
    this.skipSpace();
    if (this.take("]")) return items;
    for (;;) {
      this.skipSpace();
      items.push(this.value());
      this.skipSpace();
      if (this.take("]")) return items;
      if (!this.take(",")) throw this.unexpected("after array element");
    }
  }

  private string(): string {
    this.at += 1;
    let start = this.at;
    let read = "";
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) throw this.unexpected("in string literal");
      if (char === '"') break;
      if (char < " ") throw this.unexpected("in string literal");
      if (char === "\\") {
        read += this.text.slice(start, this.at) + this.escape();
        start = this.at;
      } else this.at += 1;
    }
    read += this.text.slice(start, this.at);
    this.at += 1;
    return read.toWellFormed();
  }

  private escape(): string {
    this.at += 1;
    const char = this.text[this.at];
    const known = char === undefined ? undefined : escapes[char];
    if (known !== undefined) {
      this.at += 1;
      return known;
    }
    if (char !== "u") throw this.unexpected("in string escape code");
    this.at += 1;
    const start = this.at;
    for (; this.at < start + 4; this.at += 1) {
      const digit = this.text[this.at];
      if (digit === undefined || !/[0-9a-fA-F]/.test(digit)) {
        throw this.unexpected("in \\u hexadecimal character escape");
      }
    }
    return String.fromCharCode(Number.parseInt(this.text.slice(start, this.at), 16));
  }

  private literal<T>(word: string, value: T): T {
    for (let offset = 1; offset < word.length; offset += 1) {
      this.at += 1;
      if (this.text[this.at] !== word[offset]) {
        throw this.unexpected(`in literal ${word} (expecting '${word[offset]}')`);
      }
    }
    this.at += 1;
    return value;
  }

  private number(): number | bigint {
    const start = this.at;
    const negative = this.take("-");
    if (!this.isDigit()) {
      throw this.unexpected(negative ? "in numeric literal" : "looking for beginning of value");
    }
    if (!this.take("0")) this.digits();
    let isInteger = true;
    if (this.take(".")) {
      isInteger = false;
      if (!this.isDigit()) throw this.unexpected("after decimal point in numeric literal");
      this.digits();
    }
    if (this.take("e") || this.take("E")) {
      isInteger = false;
      if (!this.take("+")) this.take("-");
      if (!this.isDigit()) throw this.unexpected("in exponent of numeric literal");
      this.digits();
    }
    const text = this.text.slice(start, this.at);
    const value = Number(text);
    if (!isInteger || Number.isSafeInteger(value)) return value;
    const exact = BigInt(text);
    return exact > int64Max || exact < int64Min ? value : exact;
  }

  private isDigit(): boolean {
    const char = this.text[this.at];
    return char !== undefined && char >= "0" && char <= "9";
  }

  private digits(): void {
    while (this.isDigit()) this.at += 1;
  }

  private take(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at += 1;
    return true;
  }

  private skipSpace(): void {
    for (;;) {
      const char = this.text[this.at];
      if (char !== " " && char !== "\n" && char !== "\t" && char !== "\r") return;
      this.at += 1;
    }
  }

  private unexpected(where: string): JsonError {
    const code = this.text.codePointAt(this.at);
    if (code === undefined) return new JsonError("unexpected end of JSON input");
    return new JsonError(`invalid character ${quoteChar(String.fromCodePoint(code))} ${where}`);
  }
}

/** As Go prints a character that does not belong. */
function quoteChar(char: string): string {
  if (char === "'") return "'\\''";
  if (char === '"') return "'\"'";
  return `'${JSON.stringify(char).slice(1, -1)}'`;
}

/** Sets an own key, of any name: assignment to `__proto__` would set the prototype. */
export function setOwn(object: object, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  } else (object as Record<string, unknown>)[key] = value;
}
