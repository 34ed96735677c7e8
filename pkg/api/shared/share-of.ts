/** A number, or a percentage of `total` that `round` makes a whole one; 0 where none is given. */
export function shareOf(
  value: number | string | undefined,
  total: number,
  round: (share: number) => number,
): number {
  if (value === undefined) return 0;
  if (typeof value === "number") return value;
  return round((Number.parseInt(value, 10) * total) / 100);
}
