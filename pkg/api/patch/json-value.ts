/** A JSON object as it is received: any key is data, `__proto__` and `constructor` too. */
export interface JsonObject {
  readonly [key: string]: unknown;
}

/** A JSON object that is still being made and that nobody else holds. */
export interface JsonDraft {
  [key: string]: unknown;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isJsonDraft(value: unknown): value is JsonDraft {
  return isJsonObject(value);
}

/** Lists, without the `any[]` that `Array.isArray` makes of an unknown value. */
export function isJsonList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** The value of a key of the object's own; what the prototype has is never seen. */
export function ownValue(object: JsonObject, key: string): unknown {
  const value = object[key];
  // All that a plain object inherits is functions and `__proto__`; asking only then is three times as fast.
  if (typeof value !== "function" && key !== "__proto__") return value;
  return Object.hasOwn(object, key) ? value : undefined;
}

/** Sets a key of the object's own, whatever it is called: no setter runs, no prototype changes. */
export function setOwn(object: JsonDraft, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  } else {
    object[key] = value;
  }
}

/** An unshared copy, which may be written to. */
export function copyJson(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isJsonList(value)) return value.map(copyJson);
  if (!isJsonObject(value)) return value;
  return copyJsonObject(value);
}

export function copyJsonObject(object: JsonObject): JsonDraft {
  const copy: JsonDraft = {};
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value !== undefined) setOwn(copy, key, copyJson(value));
  }
  return copy;
}

/** Whether two values mean the same JSON: the order of keys does not count, and an undefined key is an absent one. */
export function equalJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object") return false;
  if (left === null || right === null) return false;
  if (isJsonList(left)) return isJsonList(right) && equalLists(left, right);
  return isJsonObject(left) && isJsonObject(right) && equalObjects(left, right);
}

function equalLists(left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at += 1) if (!equalJson(left[at], right[at])) return false;
  return true;
}

function equalObjects(left: JsonObject, right: JsonObject): boolean {
  let unmatched = 0;
  for (const key in left) {
    const value = left[key];
    if (value === undefined) continue;
    const other = ownValue(right, key);
    if (other === undefined || !equalJson(value, other)) return false;
    unmatched += 1;
  }
  for (const key in right) if (right[key] !== undefined) unmatched -= 1;
  return unmatched === 0;
}

/** The levels of lists and objects in a value; stops counting beyond `max`. */
export function depthOf(value: unknown, max: number): number {
  if (typeof value !== "object" || value === null) return 0;
  if (max <= 0) return 1;
  let deepest = 0;
  for (const child of Object.values(value)) {
    deepest = Math.max(deepest, depthOf(child, max - 1));
    if (deepest >= max) break;
  }
  return deepest + 1;
}

/** JSON as it is held in memory: integers that a JavaScript number cannot hold are `bigint`, with every digit. */
export function parseJson(text: string): unknown {
  if (!/[0-9]{16}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, exactInteger as (key: string, value: unknown) => unknown);
}

function exactInteger(_: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  return /^-?[0-9]+$/.test(context.source ?? "") ? BigInt(context.source ?? 0) : value;
}
