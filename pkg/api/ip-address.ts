import { isIPv4, isIPv6 } from "node:net";

export type IpFamily = "IPv4" | "IPv6";

/** The family of an address in its usual form; `undefined` where the text is none. */
export function ipFamilyOf(text: string): IpFamily | undefined {
  if (isIPv4(text)) return "IPv4";
  return isIPv6(text) && !text.includes("%") ? "IPv6" : undefined;
}

/** Says, in upstream's words, that a text is no IP address. */
export function checkIpAddress(text: string): readonly string[] {
  return ipFamilyOf(text) === undefined
    ? ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    : [];
}

/** Says, in upstream's words, that a text is no address block like `10.42.0.0/16`. */
export function checkCidr(text: string): readonly string[] {
  const [address = "", bits = "", ...more] = text.split("/");
  const family = ipFamilyOf(address);
  const bitsMax = family === "IPv4" ? 32 : 128;
  const valid =
    family !== undefined &&
    more.length === 0 &&
    /^(0|[1-9][0-9]{0,2})$/.test(bits) &&
    Number(bits) <= bitsMax;
  return valid ? [] : ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"];
}
