import { isJsonList, isJsonObject, ownValue } from "../patch/json-value.ts";

/** One step of a path, from each value to those it leads to. */
interface Step {
  /** Where it only asks for a field. */
  readonly name?: string;
  from(value: unknown): readonly unknown[];
}

/** A path as `kubectl -o jsonpath` reads it, without the braces. */
export interface JsonPath {
  /** All that the path leads to, in order. What is missing on the way leads nowhere. */
  find(value: unknown): readonly unknown[];
}

/** The path cannot be read. */
export class JsonPathError extends Error {}

/**
 * Reads `.spec.list[0].name`, `['key']`, `[*]`, `..name`, slices, unions of indexes and filters such as
 * `[?(@.type=="Ready")]`.
 */
export function parseJsonPath(text: string): JsonPath {
  const steps = new Parser(text).parse();
  const names = steps.map(({ name }) => name).filter((name) => name !== undefined);
  if (names.length === steps.length) return { find: (value) => findField(value, names) };
  return {
    find(value) {
      let found: readonly unknown[] = [value];
      for (const step of steps) {
        found = found.flatMap((each) => step.from(each));
        if (found.length === 0) break;
      }
      return found;
    },
  };
}

/** Most paths are of this kind, and are asked for in each row of a table. */
function findField(object: unknown, names: readonly string[]): readonly unknown[] {
  let value = object;
  for (const name of names) {
    value = isJsonObject(value) ? ownValue(value, name) : undefined;
    if (value === undefined) return [];
  }
  return [value];
}

/** A value as a path prints it: texts as they are, all else as JSON, nothing for null. */
export function printJsonPathValue(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "";
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

class Parser {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  parse(): readonly Step[] {
    const steps: Step[] = [];
    while (this.at < this.text.length) {
      const char = this.text[this.at];
      if (char === "$" || char === "@") {
        if (this.at !== 0) throw this.unrecognized();
        this.at += 1;
      } else if (this.text.startsWith("..", this.at)) {
        this.at += 2;
        steps.push(descendants);
        if (this.at < this.text.length && this.text[this.at] !== "[") steps.push(this.name());
      } else if (char === ".") {
        this.at += 1;
        if (this.at < this.text.length && this.text[this.at] !== "[") steps.push(this.name());
      } else if (char === "[") steps.push(this.bracket());
      else if (this.at === 0) steps.push(this.name());
      else throw this.unrecognized();
    }
    return steps;
  }

  private unrecognized(): JsonPathError {
    return new JsonPathError(`unrecognized character in action: ${this.text.slice(this.at)}`);
  }

  private name(): Step {
    if (this.text[this.at] === "*") {
      this.at += 1;
      return children;
    }
    let name = "";
    while (this.at < this.text.length) {
      const char = this.text[this.at] ?? "";
      if (char === "\\") {
        name += this.text[this.at + 1] ?? "";
        this.at += 2;
      } else if (/[.[\]\s'"$@{}]/.test(char)) break;
      else {
        name += char;
        this.at += 1;
      }
    }
    if (name === "") throw this.unrecognized();
    return field(name);
  }

  private bracket(): Step {
    const end = this.closing();
    const inside = this.text.slice(this.at + 1, end).trim();
    this.at = end + 1;
    if (inside === "*") return children;
    if (inside.startsWith("?(") && inside.endsWith(")")) return filter(inside.slice(2, -1));
    const parts = splitOutsideQuotes(inside, ",").map((part) => bracketPart(part.trim()));
    if (parts.length === 1 && parts[0] !== undefined) return parts[0];
    return { from: (value) => parts.flatMap((part) => part.from(value)) };
  }

  private closing(): number {
    let depth = 0;
    let quote = "";
    for (let at = this.at; at < this.text.length; at += 1) {
      const char = this.text[at] ?? "";
      if (quote !== "") {
        if (char === "\\") at += 1;
        else if (char === quote) quote = "";
      } else if (char === "'" || char === '"') quote = char;
      else if (char === "[") depth += 1;
      else if (char === "]") {
        depth -= 1;
        if (depth === 0) return at;
      }
    }
    throw new JsonPathError("unterminated array");
  }
}

function field(name: string): Step {
  return { name, from: (value) => findField(value, [name]) };
}

const children: Step = { from: childrenOf };
const descendants: Step = { from: descendantsOf };

function childrenOf(value: unknown): readonly unknown[] {
  if (isJsonList(value)) return value;
  return isJsonObject(value) ? Object.values(value) : [];
}

function descendantsOf(value: unknown): readonly unknown[] {
  return [value, ...childrenOf(value).flatMap(descendantsOf)];
}

function bracketPart(part: string): Step {
  const quoted = /^(['"])(.*)\1$/s.exec(part);
  if (quoted !== null) return field((quoted[2] ?? "").replace(/\\(.)/gs, "$1"));
  const slice = /^(-?\d*)(?::(-?\d*))?(?::(-?\d*))?$/.exec(part);
  if (slice === null || part === "") throw new JsonPathError(`invalid array index ${part}`);
  const [, first = "", second, third] = slice;
  if (second === undefined) return index(Number(first));
  return sliceOf(first, second, third ?? "");
}

function index(place: number): Step {
  return {
    from(value) {
      const held = isJsonList(value) ? value.at(place) : undefined;
      return held === undefined ? [] : [held];
    },
  };
}

function sliceOf(first: string, second: string, third: string): Step {
  const by = third === "" ? 1 : Number(third);
  if (by <= 0) throw new JsonPathError("step must be > 0");
  return {
    from(value) {
      if (!isJsonList(value)) return [];
      const end = second === "" ? value.length : Number(second);
      const part = value.slice(first === "" ? 0 : Number(first), end);
      return by === 1 ? part : part.filter((_, place) => place % by === 0);
    },
  };
}

function splitOutsideQuotes(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let quote = "";
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? "";
    if (quote !== "") {
      if (char === "\\") at += 1;
      else if (char === quote) quote = "";
    } else if (char === "'" || char === '"') quote = char;
    else if (char === separator) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

/** Of the items of a list, those for which `left operator right` holds, or which have `left` at all. */
function filter(text: string): Step {
  const { left, operator, right } = splitComparison(text);
  if (operator === "") {
    const wanted = parseJsonPath(left);
    return ofItems((item) => wanted.find(item).length > 0);
  }
  const [leftOf, rightOf] = [operand(left), operand(right)];
  return ofItems((item) => compares(leftOf(item), operator, rightOf(item)));
}

function ofItems(holds: (item: unknown) => boolean): Step {
  return { from: (value) => (isJsonList(value) ? value.filter(holds) : []) };
}

const operators = ["==", "!=", "<=", ">=", "<", ">"];

function splitComparison(text: string): {
  readonly left: string;
  readonly operator: string;
  readonly right: string;
} {
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? "";
    if (quote !== "") {
      if (char === "\\") at += 1;
      else if (char === quote) quote = "";
      continue;
    }
    if (char === "'" || char === '"') quote = char;
    const operator = operators.find((each) => text.startsWith(each, at));
    if (operator === undefined) continue;
    const right = text.slice(at + operator.length).trim();
    return { left: text.slice(0, at).trim(), operator, right };
  }
  return { left: text.trim(), operator: "", right: "" };
}

function operand(text: string): (item: unknown) => unknown {
  const quoted = /^(['"])(.*)\1$/s.exec(text);
  if (quoted !== null) {
    const literal = (quoted[2] ?? "").replace(/\\(.)/gs, "$1");
    return () => literal;
  }
  if (text === "true" || text === "false") return () => text === "true";
  if (/^-?\d+(\.\d+)?$/.test(text)) return () => Number(text);
  const path = parseJsonPath(text);
  return (item) => path.find(item)[0];
}

function compares(left: unknown, operator: string, right: unknown): boolean {
  if (left === undefined || right === undefined || typeof left !== typeof right) return false;
  if (operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  const ordered = left as number | string;
  const other = right as number | string;
  switch (operator) {
    case "<":
      return ordered < other;
    case ">":
      return ordered > other;
    case "<=":
      return ordered <= other;
    default:
      return ordered >= other;
  }
}
