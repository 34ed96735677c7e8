import { goPrint } from "../go-print.ts";
import { isJsonObject, ownValue, parseJson } from "../json-value.ts";

/**
 * One step of a path into an object, in the form it has in `managedFields`: `f:name` a field or a key of a map,
 * `k:{"name":"x"}` an item of a keyed list, `v:"x"` an item of a set, `i:0` an item by its place. Two elements are the
 * same exactly when their texts are.
 */
export type PathElement = string;

export function fieldElement(name: string): PathElement {
  return `f:${name}`;
}

export function valueElement(value: unknown): PathElement {
  return `v:${encode(value)}`;
}

/** `keys` are the name and the value of each field that identifies the item. */
export function keyElement(keys: readonly (readonly [string, unknown])[]): PathElement {
  const sorted = keys.length > 1 ? keys.toSorted(([a], [b]) => compareText(a, b)) : keys;
  return `k:{${sorted.map(([name, value]) => `${encode(name)}:${encode(value)}`).join(",")}}`;
}

/** Kinds of elements sort in this order. */
const prefixes = ["f:", "k:", "v:", "i:"];
const canonicalMax = 10_000;
const canonical = new Map<string, PathElement | undefined>();

/** The element in its one form; undefined for a kind that is not known, which is dropped. Throws when malformed. */
export function parseElement(text: string): PathElement | undefined {
  if (text.startsWith("f:")) return text;
  if (canonical.has(text)) return canonical.get(text);
  const element = canonicalElement(text);
  // Keys and values come from clients: the memory of them is bounded by starting afresh.
  if (canonical.size >= canonicalMax) canonical.clear();
  canonical.set(text, element);
  return element;
}

function canonicalElement(text: string): PathElement | undefined {
  if (text.length < 2) throw new Error("key must be 2 characters long:");
  if (text[1] !== ":") throw new Error(`missing colon: ${text}`);
  const body = text.slice(2);
  switch (text[0]) {
    case "k": {
      const keys: unknown = parseJson(body);
      if (!isJsonObject(keys)) throw new Error(`not an object of keys: ${body}`);
      return keyElement(Object.keys(keys).map((name) => [name, ownValue(keys, name)]));
    }
    case "v":
      return valueElement(parseJson(body));
    case "i":
      if (!/^[+-]?[0-9]+$/.test(body)) throw new Error(`not an index: ${body}`);
      return `i:${Number(body)}`;
    default:
      return undefined;
  }
}

/** The order in which elements are written and conflicts are listed. */
export function compareElements(a: PathElement, b: PathElement): number {
  if (a.startsWith("f:") && b.startsWith("f:")) return compareText(a, b);
  const kind = a.slice(0, 2);
  const other = b.slice(0, 2);
  if (kind !== other) return prefixes.indexOf(kind) - prefixes.indexOf(other);
  switch (kind) {
    case "k:":
      return compareKeys(parseBody(a), parseBody(b));
    case "v:":
      return compareValues(parseBody(a), parseBody(b));
    default:
      return Number(a.slice(2)) - Number(b.slice(2));
  }
}

/** The element as it stands in messages: `.spec`, `[name="x"]`, `[="x"]`, `[0]`. */
export function printElement(element: PathElement): string {
  switch (element[0]) {
    case "k": {
      const keys = parseBody(element);
      if (!isJsonObject(keys)) return element;
      return `[${Object.keys(keys)
        .toSorted(compareText)
        .map((name) => `${name}=${printValue(ownValue(keys, name))}`)
        .join(",")}]`;
    }
    case "v":
      return `[=${printValue(parseBody(element))}]`;
    case "i":
      return `[${element.slice(2)}]`;
    default:
      return `.${element.slice(2)}`;
  }
}

export function printPath(path: readonly PathElement[]): string {
  return path.map(printElement).join("");
}

function parseBody(element: PathElement): unknown {
  return parseJson(element.slice(2));
}

function printValue(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "string" ? JSON.stringify(value) : goPrint(value);
}

function compareKeys(a: unknown, b: unknown): number {
  if (!isJsonObject(a) || !isJsonObject(b)) return 0;
  const names = Object.keys(a).toSorted(compareText);
  const others = Object.keys(b).toSorted(compareText);
  for (const [index, name] of names.entries()) {
    const other = others[index];
    if (other === undefined) return 1;
    const order = compareText(name, other) || compareValues(ownValue(a, name), ownValue(b, other));
    if (order !== 0) return order;
  }
  return names.length - others.length;
}

/** Numbers, then strings, then booleans, then null; `undefined` never occurs. */
function compareValues(a: unknown, b: unknown): number {
  const rank = valueRank(a) - valueRank(b);
  if (rank !== 0) return rank;
  if (valueRank(a) === 0) return Number(a) - Number(b);
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  return compareText(JSON.stringify(a), JSON.stringify(b));
}

function valueRank(value: unknown): number {
  if (typeof value === "bigint") return 0;
  const rank = ["number", "string", "boolean"].indexOf(typeof value);
  if (rank !== -1) return rank;
  return Array.isArray(value) ? 3 : isJsonObject(value) ? 4 : 5;
}

/** By code points, which is how Go orders UTF-8; a plain `<` would order by UTF-16 units. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const unit = a.charCodeAt(at);
    const other = b.charCodeAt(at);
    if (unit !== other) return pointOrder(unit) - pointOrder(other);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others. */
function pointOrder(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

const escapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** JSON as Go writes it, which escapes what HTML would misread. */
function encode(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (found) => escapes[found] ?? found);
}
