import { expect, test } from "vitest";
import { nextPodCidr } from "./node-ipam.ts";

test.each([
  ["10.42.0.0/16", [], "10.42.0.0/24"],
  ["10.42.0.0/16", ["10.42.0.0/24", "10.42.2.0/24"], "10.42.1.0/24"],
  ["10.42.7.9/22", ["10.42.4.0/24"], "10.42.5.0/24"],
  ["192.168.255.0/24", [], "192.168.255.0/24"],
  ["192.168.255.0/24", ["192.168.255.0/24"], undefined],
  ["10.0.0.0/8", Array.from({ length: 256 }, (_, index) => `10.0.${index}.0/24`), "10.1.0.0/24"],
] as const)("of %s, with %s taken, a node gets %s", (cluster, taken, expected) => {
  expect(nextPodCidr(cluster, new Set<string>(taken))).toBe(expected);
});
