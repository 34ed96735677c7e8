import type { Draft } from "./object.ts";
import { copyJson } from "./patch/json-value.ts";

/** An unshared, writable copy. What is `undefined` is left out, as JSON leaves it out. */
export function draftOf<T>(value: T): Draft<T> {
  return copyJson(value) as Draft<T>;
}
