import { isJsonObject } from "../patch/json-value.ts";
import { unifiedDiff } from "./unified-diff.ts";

/** What differs between two values, line by line as they are printed. The order of their fields does not count. */
export function jsonDiff(before: unknown, after: unknown): string {
  const [left = "", right = ""] = [before, after].map((value) =>
    JSON.stringify(sorted(value), undefined, 1),
  );
  return unifiedDiff(left, right);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
