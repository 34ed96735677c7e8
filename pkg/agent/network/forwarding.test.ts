import { expect, test } from "vitest";
import { needsForwardChain } from "./forwarding.ts";

test.each([
  ["no firewall", "-P FORWARD ACCEPT\n", false],
  ["Docker's", "-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n", true],
  ["a last rule that refuses", "-P FORWARD ACCEPT\n-A FORWARD -j REJECT --reject-with x\n", true],
  ["one that refuses some", "-P FORWARD ACCEPT\n-A FORWARD -i eth1 -j DROP\n", false],
  ["let through already", "-P FORWARD DROP\n-A FORWARD -m comment -j MINI8S-FORWARD\n", false],
])("%s", (_, rules, needed) => {
  expect(needsForwardChain(rules)).toBe(needed);
});
