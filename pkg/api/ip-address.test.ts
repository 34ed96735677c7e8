import { expect, test } from "vitest";
import {
  checkCanonicalCidr,
  checkCanonicalIp,
  checkCidr,
  checkIpAddress,
  cidrWarnings,
  containsCidr,
  formatIp,
  ipFamilyOf,
  ipWarnings,
  parseCidr,
  parseIp,
} from "./ip-address.ts";

test.each<[string, string | undefined]>([
  ["10.0.0.1", "IPv4"],
  ["::1", "IPv6"],
  ["2001:db8::ffff", "IPv6"],
  ["10.0.0", undefined],
  ["010.0.0.1", undefined],
  ["256.0.0.1", undefined],
  ["fe80::1%eth0", undefined],
  ["", undefined],
])("%j: %s", (text, family) => {
  expect(ipFamilyOf(text)).toBe(family);
});

test.each<[string, string]>([
  ["10.0.0.1", "10.0.0.1"],
  ["010.000.0.09", "10.0.0.9"],
  ["::", "::"],
  ["::1", "::1"],
  ["1::", "1::"],
  ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["fe80:0:0:0:0:0:0:0abc", "fe80::abc"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ["::ffff:10.1.2.3", "10.1.2.3"],
])("%s is written as %s", (text, right) => {
  const parsed = parseIp(text);
  expect(parsed === undefined ? undefined : formatIp(parsed)).toBe(right);
});

const noIp = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const noCidr = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

test.each<[string, string[], string[]]>([
  ["10.9.8.7", [], []],
  ["2001:db8::ffff", [], []],
  ["10.9.8", [noIp], [noIp]],
  ["10.9.8.256", [noIp], [noIp]],
  ["010.9.8.7", ["must not have leading 0s"], ["must not have leading 0s"]],
  [
    "::ffff:10.9.8.7",
    ["must not be an IPv4-mapped IPv6 address"],
    ["must not be an IPv4-mapped IPv6 address"],
  ],
  ["2001:DB8::1", [], ['must be in canonical form ("2001:db8::1")']],
])(
  "the address %s is refused for %j; where there is one way to write it, for %j",
  (text, old, strict) => {
    expect(checkIpAddress(text)).toEqual(old);
    expect(checkCanonicalIp(text)).toEqual(strict);
  },
);

test.each<[string, string[], string[]]>([
  ["10.42.0.0/16", [], []],
  ["0.0.0.0/0", [], []],
  ["2001:db8::/64", [], []],
  ["10.42.0.0", [noCidr], [noCidr]],
  ["10.42.0.0/33", [noCidr], [noCidr]],
  ["10.42.0.0/16/1", [noCidr], [noCidr]],
  ["x/16", [noCidr], [noCidr]],
  [
    "10.42.0.0/016",
    ["must not have leading 0s in IP or prefix length"],
    ["must not have leading 0s in IP or prefix length"],
  ],
  [
    "::ffff:10.0.0.0/104",
    ["must not have an IPv4-mapped IPv6 address"],
    ["must not have an IPv4-mapped IPv6 address"],
  ],
  [
    "10.42.0.1/16",
    ["must not have bits set beyond the prefix length"],
    ["must not have bits set beyond the prefix length"],
  ],
  ["2001:DB8::/64", [], ['must be in canonical form ("2001:db8::/64")']],
])(
  "the block %s is refused for %j; where there is one way to write it, for %j",
  (text, old, strict) => {
    expect(checkCidr(text)).toEqual(old);
    expect(checkCanonicalCidr(text)).toEqual(strict);
  },
);

test.each<[string, string[]]>([
  ["10.0.0.1", []],
  ["01.0.0.1", ['spec.ip: non-standard IP address "01.0.0.1" is invalid: use "1.0.0.1"']],
  [
    "::ffff:1.0.0.1",
    ['spec.ip: non-standard IP address "::ffff:1.0.0.1" is invalid: use "1.0.0.1"'],
  ],
  [
    "2001:0db8::1",
    ['spec.ip: IPv6 address "2001:0db8::1" should be in RFC 5952 canonical format ("2001:db8::1")'],
  ],
])("of the address %s is warned: %j", (text, warnings) => {
  expect(ipWarnings("spec.ip", text)).toEqual(warnings);
});

test.each<[string, string[]]>([
  ["10.0.0.0/8", []],
  [
    "192.168.1.5/24",
    [
      'spec.r: CIDR value "192.168.1.5/24" is ambiguous in this context (should be "192.168.1.0/24" or "192.168.1.5/32"?)',
    ],
  ],
  ["010.0.0.0/8", ['spec.r: non-standard CIDR value "010.0.0.0/8" is invalid: use "10.0.0.0/8"']],
  [
    "2001:0db8::/64",
    [
      'spec.r: IPv6 CIDR value "2001:0db8::/64" should be in RFC 5952 canonical format ("2001:db8::/64")',
    ],
  ],
])("of the block %s is warned: %j", (text, warnings) => {
  expect(cidrWarnings("spec.r", text)).toEqual(warnings);
});

test.each<[string, string, boolean]>([
  ["10.0.0.0/8", "10.1.0.0/16", true],
  ["10.0.0.0/8", "10.0.0.0/8", true],
  ["10.1.0.0/16", "10.0.0.0/8", false],
  ["10.0.0.0/8", "11.0.0.0/16", false],
  ["::/0", "10.0.0.0/8", false],
  ["2001:db8::/32", "2001:db8:1::/48", true],
])("%s holds %s: %s", (outer, inner, expected) => {
  const [a, b] = [parseCidr(outer), parseCidr(inner)];
  expect(a !== undefined && b !== undefined && containsCidr(a, b)).toBe(expected);
});
