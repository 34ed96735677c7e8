import { expect, test } from "vitest";
import { checkCidr, ipFamilyOf } from "./ip-address.ts";

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

test.each<[string, boolean]>([
  ["10.42.0.0/16", true],
  ["0.0.0.0/0", true],
  ["2001:db8::/64", true],
  ["10.42.0.0", false],
  ["10.42.0.0/33", false],
  ["10.42.0.0/016", false],
  ["10.42.0.0/16/1", false],
  ["x/16", false],
])("%s is an address block: %s", (text, valid) => {
  expect(checkCidr(text).length === 0).toBe(valid);
});
