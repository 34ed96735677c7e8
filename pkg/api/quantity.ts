/** How a quantity is written: `12k`, `12Ki` or `12e3`. */
type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

/** An exact amount of a resource, as `k8s.io/apimachinery/pkg/api/resource` counts: in billionths, never rounded down. */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

export class QuantityError extends Error {}

const formatMessage =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const numericMessage = "unable to parse numeric part of quantity";
const suffixMessage = "unable to parse quantity's suffix";

const nanosPerUnit = 1_000_000_000n;
/** What does not fit is cut to this many units, as upstream does. */
const unitsMax = 2n ** 63n - 1n;
/** Beyond this exponent nothing can fit, and the power need not be computed. */
const exponentMax = 40;

const decimalSuffixes = new Map<string, number>([
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
]);
const decimalSuffixOf = new Map([...decimalSuffixes].map(([suffix, power]) => [power, suffix]));
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

const shape = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;
const exponentShape = /^[eE][-+]?[0-9]+$/;

/** Few different quantities occur in a cluster, and each very often. */
const parsedCacheMax = 4_096;
const parsedCache = new Map<string, Quantity>();

/** Reads `100m`, `1.5Gi`, `2e3`; throws a `QuantityError` in upstream's words where it cannot. */
export function parseQuantity(text: string): Quantity {
  const cached = parsedCache.get(text);
  if (cached !== undefined) return cached;
  const parsed = parseUncached(text);
  if (parsedCache.size >= parsedCacheMax) parsedCache.clear();
  parsedCache.set(text, parsed);
  return parsed;
}

/** As `parseQuantity`, but `undefined` where the text is no quantity. */
export function tryParseQuantity(text: string): Quantity | undefined {
  try {
    return parseQuantity(text);
  } catch (caught) {
    if (caught instanceof QuantityError) return undefined;
    throw caught;
  }
}

function parseUncached(text: string): Quantity {
  const match = shape.exec(text);
  if (match === null || text === "") throw new QuantityError(formatMessage);
  const [, sign = "", whole = "", fraction = "", suffix = ""] = match;
  const { base, exponent, format } = interpretSuffix(suffix);
  if (whole === "" && fraction === "") throw new QuantityError(numericMessage);
  const digits = BigInt(`${whole}${fraction}`);
  if (digits === 0n) return { nanos: 0n, format };
  const magnitude = scale(digits, fraction.length, base, exponent);
  const small = format === "BinarySI" && magnitude < nanosPerUnit;
  return {
    nanos: sign === "-" ? -magnitude : magnitude,
    format: small ? "DecimalSI" : format,
  };
}

interface Suffix {
  readonly base: 2 | 10;
  readonly exponent: number;
  readonly format: QuantityFormat;
}

function interpretSuffix(suffix: string): Suffix {
  const power = decimalSuffixes.get(suffix);
  if (power !== undefined) return { base: 10, exponent: power, format: "DecimalSI" };
  const binary = binarySuffixes.indexOf(suffix);
  if (binary > 0) return { base: 2, exponent: binary * 10, format: "BinarySI" };
  if (exponentShape.test(suffix)) {
    return { base: 10, exponent: Number.parseInt(suffix.slice(1), 10), format: "DecimalExponent" };
  }
  throw new QuantityError(suffixMessage);
}

function scale(digits: bigint, fractionDigits: number, base: 2 | 10, exponent: number): bigint {
  if (base === 2) {
    const nanos = digits * nanosPerUnit * 2n ** BigInt(exponent);
    return capped(divideUp(nanos, 10n ** BigInt(fractionDigits)));
  }
  const power = exponent + 9 - fractionDigits;
  if (power >= 0) {
    return power > exponentMax ? unitsMax * nanosPerUnit : capped(digits * 10n ** BigInt(power));
  }
  const divisorPower = -power;
  return divisorPower > exponentMax + String(digits).length
    ? 1n
    : divideUp(digits, 10n ** BigInt(divisorPower));
}

function capped(nanos: bigint): bigint {
  const max = unitsMax * nanosPerUnit;
  return nanos > max ? max : nanos;
}

/** Away from zero, so that whoever asks for some of a resource gets some. */
function divideUp(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  if (quotient * divisor === value) return quotient;
  return value > 0n ? quotient + 1n : quotient - 1n;
}

/** The one way upstream prints this amount: `1500m`, `2`, `12k`, `1Gi`. */
export function formatQuantity(quantity: Quantity): string {
  const { nanos } = quantity;
  if (nanos === 0n) return "0";
  const units1024 = 1024n * nanosPerUnit;
  const isBinary = quantity.format === "BinarySI" && (nanos >= units1024 || nanos <= -units1024);
  if (isBinary) return formatBinary(nanos);
  return formatDecimal(nanos, quantity.format === "DecimalExponent");
}

function formatBinary(nanos: bigint): string {
  let value = divideUp(nanos, nanosPerUnit);
  let step = 0;
  while (step < binarySuffixes.length - 1 && value % 1024n === 0n) {
    value /= 1024n;
    step += 1;
  }
  return `${value}${binarySuffixes[step] ?? ""}`;
}

function formatDecimal(nanos: bigint, asExponent: boolean): string {
  let value = nanos;
  let power = -9;
  while (power < 18 && value % 1000n === 0n) {
    value /= 1000n;
    power += 3;
  }
  if (!asExponent) return `${value}${decimalSuffixOf.get(power) ?? ""}`;
  return power === 0 ? `${value}` : `${value}e${power}`;
}

/** The canonical form of a text that is a quantity; throws a `QuantityError` where it is none. */
export function canonicalQuantity(text: string): string {
  return formatQuantity(parseQuantity(text));
}

const resourceTextCache = new Map<string, string>();

/** The canonical form of an amount in a resource list, which upstream rounds up to thousandths. */
export function canonicalResourceQuantity(text: string): string {
  const cached = resourceTextCache.get(text);
  if (cached !== undefined) return cached;
  const parsed = parseQuantity(text);
  const nanosPerMilli = 1_000_000n;
  const nanos = divideUp(parsed.nanos, nanosPerMilli) * nanosPerMilli;
  const canonical = formatQuantity({ nanos, format: parsed.format });
  if (resourceTextCache.size >= parsedCacheMax) resourceTextCache.clear();
  resourceTextCache.set(text, canonical);
  return canonical;
}

/** Negative, zero or positive, as `a` is less than, equal to or more than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
}

/** The sum; written as `a` is, unless `a` is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos + b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

/** Whole units, rounded up: bytes of memory, pods, ports. */
export function wholeUnits(quantity: Quantity): number {
  return Number(divideUp(quantity.nanos, nanosPerUnit));
}

/** Thousandths, rounded up: what CPU is counted in. */
export function milliUnits(quantity: Quantity): number {
  return Number(divideUp(quantity.nanos, 1_000_000n));
}
