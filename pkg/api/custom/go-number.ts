/** A number as Go's `%v` prints it. */
export function goNumber(value: number | bigint): string {
  if (typeof value === "bigint") return value.toString();
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e21) return value.toString();
  if (size >= 1e-4 && size < 1e21) return value.toString();
  const [digits = "", exponent = "+0"] = value.toExponential().split("e");
  const sign = exponent.startsWith("-") ? "-" : "+";
  return `${digits}e${sign}${exponent.slice(1).padStart(2, "0")}`;
}
