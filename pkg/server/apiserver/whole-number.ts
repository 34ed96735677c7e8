import { ApiError } from "../../api/api-error.ts";

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

/** A whole number of the query, undefined where it says none; BadRequest in Go's words for what is no int64. */
export function wholeNumberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw wrong(text, "invalid syntax");
  if (text.length > digitsMax) throw wrong(text, "value out of range");
  const exact = BigInt(text.replace("+", ""));
  if (exact > int64Max || exact < int64Min) throw wrong(text, "value out of range");
  return Number(exact);
}

/** Longer texts are out of range but for leading zeros, of which nobody writes so many. */
const digitsMax = 1_000;

function wrong(text: string, why: string): ApiError {
  return ApiError.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`);
}
