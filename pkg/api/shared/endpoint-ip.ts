import { parseIp } from "../ip-address.ts";

/** Says, in upstream's words, of an address that it is none, or not one where a service could be reached. */
export function checkEndpointIp(text: string): readonly string[] {
  const ip = parseIp(text);
  if (ip === undefined) return ["must be a valid IP address"];
  const { family, value } = ip;
  const starts = (bits: bigint, with4: bigint, bits6: bigint, with6: bigint) =>
    family === "IPv4" ? value >> (32n - bits) === with4 : value >> (128n - bits6) === with6;
  const details: string[] = [];
  if (value === 0n) details.push(`may not be unspecified (${text})`);
  if (starts(8n, 127n, 128n, 1n)) {
    details.push("may not be in the loopback range (127.0.0.0/8, ::1/128)");
  }
  if (starts(16n, 0xa9fen, 10n, 0x3fan)) {
    details.push("may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  }
  const isMulticast6 = family === "IPv6" && ((value >> 112n) & 0xff0fn) === 0xff02n;
  if (isMulticast6 || (family === "IPv4" && value >> 8n === 0xe00000n)) {
    details.push("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  }
  return details;
}
