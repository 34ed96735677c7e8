import { expect, test } from "vitest";
import { emptyIptablesTables, planPortMapRemoval } from "./port-map-leftovers.ts";

const saved = (...chains: readonly string[]) => `*nat
:PREROUTING ACCEPT [0:0]
:CNI-HOSTPORT-DNAT - [0:0]
:CNI-HOSTPORT-MASQ - [0:0]
${chains.map((chain) => `:${chain} - [0:0]\n`).join("")}-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A PREROUTING -j DOCKER
-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE
COMMIT
`;

test("the plugin's shared chains go with the jumps to them, when no port is mapped any more", () => {
  expect(planPortMapRemoval(saved())).toBe(`*nat
-D PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-F CNI-HOSTPORT-DNAT
-F CNI-HOSTPORT-MASQ
-X CNI-HOSTPORT-DNAT
-X CNI-HOSTPORT-MASQ
COMMIT
`);
});

test("they stay while another program's containers use them, and nothing is done where there are none", () => {
  expect(planPortMapRemoval(saved("CNI-DN-0123"))).toBeUndefined();
  expect(planPortMapRemoval("*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n")).toBeUndefined();
});

test("a table of iptables' is idle when its chains only accept, and stays when anything is in it", () => {
  const table = (family: string, name: string) => ({ table: { family, name } });
  const chain = (name: string, rest: { type?: string; policy?: string }) => ({
    chain: { family: "ip", table: name, name: "c", ...rest },
  });
  const accepting = { type: "filter", policy: "accept" };
  const idle = (...objects: Parameters<typeof emptyIptablesTables>[0]) =>
    emptyIptablesTables(objects).map(({ family, name }) => `${family} ${name}`);
  expect(idle(table("ip", "nat"), chain("nat", accepting), table("ip6", "nat"))).toEqual([
    "ip nat",
    "ip6 nat",
  ]);
  expect(idle(table("ip", "filter"), chain("filter", { ...accepting, policy: "drop" }))).toEqual(
    [],
  );
  expect(idle(table("ip", "nat"), chain("nat", {}))).toEqual([]);
  const rule = { rule: { family: "ip", table: "nat" } };
  expect(idle(table("ip", "nat"), chain("nat", accepting), rule)).toEqual([]);
  expect(idle(table("inet", "nat"), table("ip", "other"))).toEqual([]);
});
