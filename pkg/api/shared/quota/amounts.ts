import { addQuantities, formatQuantity, parseQuantity, type Quantity } from "../../quantity.ts";

/** How much there is of each resource. */
export type Amounts = ReadonlyMap<string, Quantity>;

const none: Quantity = { nanos: 0n, format: "DecimalSI" };
export const one: Quantity = { nanos: 1_000_000_000n, format: "DecimalSI" };

export function wholeQuantity(count: number): Quantity {
  return { nanos: BigInt(count) * one.nanos, format: "DecimalSI" };
}

export function amountsOf(
  list: Readonly<Record<string, string>> | undefined,
): Map<string, Quantity> {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, parseQuantity(text)]));
}

/** As in an object: by name, each written the one way upstream writes it. */
export function listOf(amounts: Amounts): Record<string, string> {
  const sorted = [...amounts].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, amount]) => [name, formatQuantity(amount)]));
}

export function add(a: Amounts, b: Amounts): Map<string, Quantity> {
  const sum = new Map(a);
  for (const [name, amount] of b) {
    const before = sum.get(name);
    sum.set(name, before === undefined ? amount : addQuantities(before, amount));
  }
  return sum;
}

/** What `a` has more than `b`; of what it has less, as little as nothing. */
export function subtract(a: Amounts, b: Amounts): Map<string, Quantity> {
  const rest = new Map<string, Quantity>();
  for (const [name, amount] of a) {
    const nanos = amount.nanos - (b.get(name) ?? none).nanos;
    rest.set(name, nanos < 0n ? none : { nanos, format: amount.format });
  }
  return rest;
}

export function masked(amounts: Amounts, names: ReadonlySet<string>): Map<string, Quantity> {
  return new Map([...amounts].filter(([name]) => names.has(name)));
}

export function withoutZeros(amounts: Amounts): Map<string, Quantity> {
  return new Map([...amounts].filter(([, amount]) => amount.nanos !== 0n));
}

export function sameAmounts(a: Amounts, b: Amounts): boolean {
  return a.size === b.size && [...a].every(([name, amount]) => b.get(name)?.nanos === amount.nanos);
}

/** The names of what is more than the most there may be. */
export function exceeding(amounts: Amounts, most: Amounts): ReadonlySet<string> {
  const over = [...amounts].filter(([name, amount]) => {
    const limit = most.get(name);
    return limit !== undefined && amount.nanos > limit.nanos;
  });
  return new Set(over.map(([name]) => name));
}

/** `cpu=1,pods=2` */
export function printAmounts(amounts: Amounts): string {
  return Object.entries(listOf(amounts))
    .map(([name, amount]) => `${name}=${amount}`)
    .join(",");
}
