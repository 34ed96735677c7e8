/** An IPv4 network as numbers. */
export interface AddressRange {
  /** As in `10.43.0.0/16`. */
  readonly cidr: string;
  /** Usable addresses are `base` + 0 … `base` + `size` - 1: neither the network's own nor the broadcast address. */
  readonly base: number;
  readonly size: number;
}

/** Reads a `--service-cidr`; throws a sentence where it is none. */
export function parseAddressRange(cidr: string): AddressRange {
  const match = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(cidr);
  const network = addressNumber(match?.[1] ?? "");
  const prefix = Number(match?.[2] ?? Number.NaN);
  if (network === undefined || !(prefix >= 8 && prefix <= 30)) {
    throw new Error(`${JSON.stringify(cidr)} is not an IPv4 network: write it as 10.43.0.0/16`);
  }
  const total = 2 ** (32 - prefix);
  const base = Math.floor(network / total) * total;
  return { cidr, base: base + 1, size: total - 2 };
}

/** The `index`th usable address. */
export function addressAt(range: AddressRange, index: number): string {
  const value = range.base + index;
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join(".");
}

/** Where in the range an address is; undefined where it is outside, or no IPv4 address. */
export function indexOfAddress(range: AddressRange, address: string): number | undefined {
  const value = addressNumber(address);
  if (value === undefined) return undefined;
  const index = value - range.base;
  return index >= 0 && index < range.size ? index : undefined;
}

function addressNumber(address: string): number | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) return undefined;
  const parts = address.split(".");
  if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith("0")))) {
    return undefined;
  }
  return parts.reduce((value, part) => value * 256 + Number(part), 0);
}
