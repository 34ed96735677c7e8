import { isIPv4, isIPv6 } from "node:net";

export type IpFamily = "IPv4" | "IPv6";

/** The family of an address in its usual form; `undefined` where the text is none. */
export function ipFamilyOf(text: string): IpFamily | undefined {
  if (isIPv4(text)) return "IPv4";
  return isIPv6(text) && !text.includes("%") ? "IPv6" : undefined;
}

/** An address as a number, which was once written with zeros in front, or as IPv4 within IPv6. */
export interface ParsedIp {
  readonly family: IpFamily;
  /** 32 or 128 bits. */
  readonly value: bigint;
  readonly hasLeadingZeros: boolean;
  /** `::ffff:10.0.0.1`: the family is that of the address meant, IPv4. */
  readonly isMapped: boolean;
}

/** Reads an address as Kubernetes always did: zeros in front are decimal, and mapped addresses are IPv4. */
export function parseIp(text: string): ParsedIp | undefined {
  if (/^\d+(\.\d+){3}$/.test(text)) {
    const parts = text.split(".");
    if (parts.some((part) => Number(part) > 255)) return undefined;
    return {
      family: "IPv4",
      value: numberOf(parts.map(BigInt), 8n),
      hasLeadingZeros: parts.some((part) => part.length > 1 && part.startsWith("0")),
      isMapped: false,
    };
  }
  if (ipFamilyOf(text) !== "IPv6") return undefined;
  const value = parseIpv6(text);
  const isMapped = value >> 32n === 0xffffn;
  return {
    family: isMapped ? "IPv4" : "IPv6",
    value: isMapped ? value & 0xffff_ffffn : value,
    hasLeadingZeros: false,
    isMapped,
  };
}

/** A text that `isIPv6` takes. */
function parseIpv6(text: string): bigint {
  const dotted = /[\d.]+$/.exec(text)?.[0] ?? "";
  let plain = text;
  if (dotted.includes(".")) {
    const value = numberOf(dotted.split(".").map(BigInt), 8n);
    plain = `${text.slice(0, -dotted.length)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  }
  const [head = "", tail] = plain.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const all = [...before, ...Array.from({ length: zeros }, () => "0"), ...after];
  return numberOf(
    all.map((group) => BigInt(`0x${group}`)),
    16n,
  );
}

function numberOf(parts: readonly bigint[], bits: bigint): bigint {
  return parts.reduce((value, part) => (value << bits) | part, 0n);
}

/** An address in the one form that everybody should write (RFC 5952 for IPv6). */
export function formatIp({ family, value }: Pick<ParsedIp, "family" | "value">): string {
  if (family === "IPv4") {
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join(".");
  }
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(112 - index * 16)) & 0xffffn).toString(16),
  );
  const { start, length } = longestZeros(groups);
  if (length < 2) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
}

function longestZeros(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, index) => {
    if (group !== "0") start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  });
  return best;
}

/** An address block. */
export interface ParsedCidr {
  readonly family: IpFamily;
  /** The first address. */
  readonly base: bigint;
  readonly prefixBits: number;
  /** The address that was written before the slash. */
  readonly address: ParsedIp;
  readonly hasLeadingZeros: boolean;
}

export function addressBits(family: IpFamily): number {
  return family === "IPv4" ? 32 : 128;
}

/** Reads `10.42.0.0/16` as Kubernetes always did; `undefined` where the text is no address block. */
export function parseCidr(text: string): ParsedCidr | undefined {
  const [before = "", bits = "", ...more] = text.split("/");
  const address = parseIp(before);
  if (address === undefined || more.length > 0 || !/^\d{1,9}$/.test(bits)) return undefined;
  const written = address.isMapped ? 128 : addressBits(address.family);
  if (Number(bits) > written) return undefined;
  const prefixBits = address.isMapped ? Math.max(0, Number(bits) - 96) : Number(bits);
  const hostBits = BigInt(addressBits(address.family) - prefixBits);
  return {
    family: address.family,
    base: (address.value >> hostBits) << hostBits,
    prefixBits,
    address,
    hasLeadingZeros: address.hasLeadingZeros || (bits.length > 1 && bits.startsWith("0")),
  };
}

/** An address block in the one form that everybody should write. */
export function formatCidr({ family, base, prefixBits }: ParsedCidr): string {
  return `${formatIp({ family, value: base })}/${prefixBits}`;
}

/** Whether all of `inner` lies in `outer`. */
export function containsCidr(outer: ParsedCidr, inner: ParsedCidr): boolean {
  return inner.prefixBits >= outer.prefixBits && containsIp(outer, inner.family, inner.base);
}

export function containsIp(block: ParsedCidr, family: IpFamily, value: bigint): boolean {
  const hostBits = BigInt(addressBits(block.family) - block.prefixBits);
  return block.family === family && value >> hostBits === block.base >> hostBits;
}

const none: readonly string[] = [];

/** Says, in upstream's words, that a text is no IP address, or one that others may read otherwise. */
export function checkIpAddress(text: string): readonly string[] {
  const ip = parseIp(text);
  if (ip === undefined) {
    return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"];
  }
  if (ip.hasLeadingZeros) return ["must not have leading 0s"];
  return ip.isMapped ? ["must not be an IPv4-mapped IPv6 address"] : none;
}

/** As `checkIpAddress`; and it must be written in the one right way. */
export function checkCanonicalIp(text: string): readonly string[] {
  return canonical(text, checkIpAddress, (ip) => {
    const parsed = parseIp(ip);
    return parsed === undefined ? ip : formatIp(parsed);
  });
}

/** Says, in upstream's words, that a text is no address block like `10.42.0.0/16`, or one that others may read otherwise. */
export function checkCidr(text: string): readonly string[] {
  const cidr = parseCidr(text);
  if (cidr === undefined) {
    return ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"];
  }
  if (cidr.hasLeadingZeros) return ["must not have leading 0s in IP or prefix length"];
  if (cidr.address.isMapped) return ["must not have an IPv4-mapped IPv6 address"];
  return cidr.base === cidr.address.value
    ? none
    : ["must not have bits set beyond the prefix length"];
}

/** As `checkCidr`; and it must be written in the one right way. */
export function checkCanonicalCidr(text: string): readonly string[] {
  return canonical(text, checkCidr, canonicalCidr);
}

function canonicalCidr(text: string): string {
  const cidr = parseCidr(text);
  return cidr === undefined ? text : formatCidr(cidr);
}

function canonical(
  text: string,
  check: (text: string) => readonly string[],
  format: (text: string) => string,
): readonly string[] {
  const problems = check(text);
  if (problems.length > 0) return problems;
  const right = format(text);
  return right === text ? none : [`must be in canonical form (${JSON.stringify(right)})`];
}

/** Warns of an address that is right but not as everybody should write it. */
export function ipWarnings(path: string, text: string): readonly string[] {
  const ip = parseIp(text);
  if (ip === undefined) return none;
  const [shown, right] = [JSON.stringify(text), JSON.stringify(formatIp(ip))];
  if (ip.hasLeadingZeros || ip.isMapped) {
    return [`${path}: non-standard IP address ${shown} is invalid: use ${right}`];
  }
  return shown === right
    ? none
    : [`${path}: IPv6 address ${shown} should be in RFC 5952 canonical format (${right})`];
}

/** Warns of an address block that is right but not as everybody should write it. */
export function cidrWarnings(path: string, text: string): readonly string[] {
  const cidr = parseCidr(text);
  if (cidr === undefined) return none;
  const [shown, right] = [JSON.stringify(text), JSON.stringify(formatCidr(cidr))];
  const warnings: string[] = [];
  if (cidr.base !== cidr.address.value) {
    const single = JSON.stringify(`${formatIp(cidr.address)}/${addressBits(cidr.family)}`);
    warnings.push(
      `${path}: CIDR value ${shown} is ambiguous in this context (should be ${right} or ${single}?)`,
    );
  }
  if (cidr.hasLeadingZeros || cidr.address.isMapped) {
    warnings.push(`${path}: non-standard CIDR value ${shown} is invalid: use ${right}`);
  }
  if (warnings.length === 0 && shown !== right) {
    warnings.push(
      `${path}: IPv6 CIDR value ${shown} should be in RFC 5952 canonical format (${right})`,
    );
  }
  return warnings;
}
