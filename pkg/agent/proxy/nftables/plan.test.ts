import { expect, test } from "vitest";
import type { Frontend } from "../service-table.ts";
import { byId, changeOf } from "../service-table.ts";
import { countAddresses, planNftables, renderChange, renderHairpins, renderWhole } from "./plan.ts";

const network = { clusterCidr: "10.42.0.0/16", serviceCidr: "10.43.0.0/16" };

function frontend(rest: Partial<Frontend>): Frontend {
  return {
    kind: "address",
    address: "10.43.0.7",
    protocol: "tcp",
    port: 80,
    service: "shop/web:http",
    backends: [
      { address: "10.42.0.2", port: 8080 },
      { address: "10.42.1.3", port: 8080 },
    ],
    affinitySeconds: 0,
    masquerade: false,
    whenEmpty: "reject",
    ...rest,
  };
}

test("the whole table, as one transaction for nft", () => {
  const table = [
    frontend({}),
    frontend({ kind: "node-port", address: "", port: 30_080, masquerade: true }),
    frontend({ address: "10.43.0.9", port: 443, service: "shop/none", backends: [] }),
  ];
  // One chain for each count of back ends; three stand for all.
  const text = renderWhole(table, network)
    .split("\n")
    .filter((line) => !/ (masquerade-)?pick-(node-)?[4-8]\b/.test(line))
    .join("\n");
  expect(text).toMatchInlineSnapshot(`
    "add table ip mini8s-proxy
    delete table ip mini8s-proxy
    add table ip mini8s-proxy
    add map ip mini8s-proxy services { type ipv4_addr . inet_proto . inet_service : verdict; }
    add map ip mini8s-proxy node-ports { type inet_proto . inet_service : verdict; }
    add map ip mini8s-proxy unserved { type ipv4_addr . inet_proto . inet_service : verdict; }
    add map ip mini8s-proxy unserved-node-ports { type inet_proto . inet_service : verdict; }
    add map ip mini8s-proxy backends { typeof ip daddr . meta l4proto . th dport . numgen random mod 65536 : ip daddr . th dport; }
    add map ip mini8s-proxy node-backends { typeof meta l4proto . th dport . numgen random mod 65536 : ip daddr . th dport; }
    add set ip mini8s-proxy hairpins { type ipv4_addr . ipv4_addr; }
    add chain ip mini8s-proxy reject-packet
    add rule ip mini8s-proxy reject-packet reject
    add chain ip mini8s-proxy drop-packet
    add rule ip mini8s-proxy drop-packet drop
    add chain ip mini8s-proxy pick-1
    add rule ip mini8s-proxy pick-1 dnat ip to ip daddr . meta l4proto . th dport . numgen random mod 1 map @backends
    add chain ip mini8s-proxy pick-node-1
    add rule ip mini8s-proxy pick-node-1 dnat ip to meta l4proto . th dport . numgen random mod 1 map @node-backends
    add chain ip mini8s-proxy masquerade-pick-1
    add rule ip mini8s-proxy masquerade-pick-1 meta mark set meta mark or 0x4000 goto pick-1
    add chain ip mini8s-proxy masquerade-pick-node-1
    add rule ip mini8s-proxy masquerade-pick-node-1 meta mark set meta mark or 0x4000 goto pick-node-1
    add chain ip mini8s-proxy pick-2
    add rule ip mini8s-proxy pick-2 dnat ip to ip daddr . meta l4proto . th dport . numgen random mod 2 map @backends
    add chain ip mini8s-proxy pick-node-2
    add rule ip mini8s-proxy pick-node-2 dnat ip to meta l4proto . th dport . numgen random mod 2 map @node-backends
    add chain ip mini8s-proxy masquerade-pick-2
    add rule ip mini8s-proxy masquerade-pick-2 meta mark set meta mark or 0x4000 goto pick-2
    add chain ip mini8s-proxy masquerade-pick-node-2
    add rule ip mini8s-proxy masquerade-pick-node-2 meta mark set meta mark or 0x4000 goto pick-node-2
    add chain ip mini8s-proxy pick-3
    add rule ip mini8s-proxy pick-3 dnat ip to ip daddr . meta l4proto . th dport . numgen random mod 3 map @backends
    add chain ip mini8s-proxy pick-node-3
    add rule ip mini8s-proxy pick-node-3 dnat ip to meta l4proto . th dport . numgen random mod 3 map @node-backends
    add chain ip mini8s-proxy masquerade-pick-3
    add rule ip mini8s-proxy masquerade-pick-3 meta mark set meta mark or 0x4000 goto pick-3
    add chain ip mini8s-proxy masquerade-pick-node-3
    add rule ip mini8s-proxy masquerade-pick-node-3 meta mark set meta mark or 0x4000 goto pick-node-3
    add chain ip mini8s-proxy dispatch
    add rule ip mini8s-proxy dispatch ip daddr . meta l4proto . th dport vmap @services
    add rule ip mini8s-proxy dispatch fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @node-ports
    add chain ip mini8s-proxy prerouting { type nat hook prerouting priority -100; policy accept; }
    add rule ip mini8s-proxy prerouting jump dispatch
    add chain ip mini8s-proxy output { type nat hook output priority -100; policy accept; }
    add rule ip mini8s-proxy output jump dispatch
    add chain ip mini8s-proxy refuse-forwarded { type filter hook prerouting priority -110; policy accept; }
    add rule ip mini8s-proxy refuse-forwarded ct state new ip daddr . meta l4proto . th dport vmap @unserved
    add rule ip mini8s-proxy refuse-forwarded ct state new fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @unserved-node-ports
    add chain ip mini8s-proxy refuse-own { type filter hook output priority -110; policy accept; }
    add rule ip mini8s-proxy refuse-own ct state new ip daddr . meta l4proto . th dport vmap @unserved
    add rule ip mini8s-proxy refuse-own ct state new fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @unserved-node-ports
    add chain ip mini8s-proxy postrouting { type nat hook postrouting priority 100; policy accept; }
    add rule ip mini8s-proxy postrouting ct status dnat ip saddr . ip daddr @hairpins masquerade
    add rule ip mini8s-proxy postrouting meta mark and 0x4000 == 0x4000 masquerade
    add rule ip mini8s-proxy postrouting ct status dnat ct original ip daddr 10.43.0.0/16 ip saddr != 10.42.0.0/16 masquerade
    add element ip mini8s-proxy services { 10.43.0.7 . tcp . 80 : goto pick-2 }
    add element ip mini8s-proxy node-ports { tcp . 30080 : goto masquerade-pick-node-2 }
    add element ip mini8s-proxy unserved { 10.43.0.9 . tcp . 443 : goto reject-packet }
    add element ip mini8s-proxy backends { 10.43.0.7 . tcp . 80 . 0 : 10.42.0.2 . 8080, 10.43.0.7 . tcp . 80 . 1 : 10.42.1.3 . 8080 }
    add element ip mini8s-proxy node-backends { tcp . 30080 . 0 : 10.42.0.2 . 8080, tcp . 30080 . 1 : 10.42.1.3 . 8080 }
    add element ip mini8s-proxy hairpins { 10.42.0.2 . 10.42.0.2, 10.42.1.3 . 10.42.1.3 }
    "
  `);
});

test("a pod that comes or goes is a few map elements, and nothing is nothing", () => {
  const two = planNftables([frontend({})]);
  const [first] = frontend({}).backends;
  const one = planNftables([frontend({ backends: first === undefined ? [] : [first] })]);
  expect(renderChange(two, one)).toMatchInlineSnapshot(`
    [
      "delete element ip mini8s-proxy services { 10.43.0.7 . tcp . 80 }",
      "add element ip mini8s-proxy services { 10.43.0.7 . tcp . 80 : goto pick-1 }",
      "delete element ip mini8s-proxy backends { 10.43.0.7 . tcp . 80 . 1 }",
    ]
  `);
  expect(renderChange(two, two)).toEqual([]);
  expect(one.backendsMax).toBe(two.backendsMax);
});

test("session affinity has chains of its own, made before they are led to and removed after", () => {
  const sticky = planNftables([frontend({ affinitySeconds: 60 })]);
  const plain = planNftables([frontend({})]);
  expect(renderChange(plain, sticky)).toMatchInlineSnapshot(`
    [
      "add set ip mini8s-proxy clients-c44e242cbff6-10.42.0.2-8080 { type ipv4_addr; flags dynamic,timeout; timeout 60s; }",
      "add set ip mini8s-proxy clients-c44e242cbff6-10.42.1.3-8080 { type ipv4_addr; flags dynamic,timeout; timeout 60s; }",
      "add chain ip mini8s-proxy backend-c44e242cbff6-10.42.0.2-8080",
      "add rule ip mini8s-proxy backend-c44e242cbff6-10.42.0.2-8080 update @clients-c44e242cbff6-10.42.0.2-8080 { ip saddr }",
      "add rule ip mini8s-proxy backend-c44e242cbff6-10.42.0.2-8080 meta l4proto tcp dnat ip to 10.42.0.2:8080",
      "add chain ip mini8s-proxy backend-c44e242cbff6-10.42.1.3-8080",
      "add rule ip mini8s-proxy backend-c44e242cbff6-10.42.1.3-8080 update @clients-c44e242cbff6-10.42.1.3-8080 { ip saddr }",
      "add rule ip mini8s-proxy backend-c44e242cbff6-10.42.1.3-8080 meta l4proto tcp dnat ip to 10.42.1.3:8080",
      "add chain ip mini8s-proxy affinity-c44e242cbff6",
      "add rule ip mini8s-proxy affinity-c44e242cbff6 ip saddr @clients-c44e242cbff6-10.42.0.2-8080 goto backend-c44e242cbff6-10.42.0.2-8080",
      "add rule ip mini8s-proxy affinity-c44e242cbff6 ip saddr @clients-c44e242cbff6-10.42.1.3-8080 goto backend-c44e242cbff6-10.42.1.3-8080",
      "add rule ip mini8s-proxy affinity-c44e242cbff6 numgen random mod 2 vmap { 0 : goto backend-c44e242cbff6-10.42.0.2-8080, 1 : goto backend-c44e242cbff6-10.42.1.3-8080 }",
      "delete element ip mini8s-proxy services { 10.43.0.7 . tcp . 80 }",
      "add element ip mini8s-proxy services { 10.43.0.7 . tcp . 80 : goto affinity-c44e242cbff6 }",
      "delete element ip mini8s-proxy backends { 10.43.0.7 . tcp . 80 . 0, 10.43.0.7 . tcp . 80 . 1 }",
    ]
  `);
  expect(renderChange(sticky, plain)).toMatchInlineSnapshot(`
    [
      "delete element ip mini8s-proxy services { 10.43.0.7 . tcp . 80 }",
      "add element ip mini8s-proxy services { 10.43.0.7 . tcp . 80 : goto pick-2 }",
      "add element ip mini8s-proxy backends { 10.43.0.7 . tcp . 80 . 0 : 10.42.0.2 . 8080, 10.43.0.7 . tcp . 80 . 1 : 10.42.1.3 . 8080 }",
      "delete chain ip mini8s-proxy affinity-c44e242cbff6",
      "delete chain ip mini8s-proxy backend-c44e242cbff6-10.42.1.3-8080",
      "delete chain ip mini8s-proxy backend-c44e242cbff6-10.42.0.2-8080",
      "delete set ip mini8s-proxy clients-c44e242cbff6-10.42.0.2-8080",
      "delete set ip mini8s-proxy clients-c44e242cbff6-10.42.1.3-8080",
    ]
  `);
});

test("another affinity time is another set: a set keeps the time-out it was made with", () => {
  const before = planNftables([frontend({ affinitySeconds: 60 })]);
  const after = planNftables([frontend({ affinitySeconds: 5 })]);
  const lines = renderChange(before, after);
  expect(lines.filter((line) => line.includes("timeout 5s"))).toHaveLength(2);
  expect(lines.filter((line) => line.startsWith("delete set"))).toHaveLength(2);
});

test("more back ends than there are chains for need the whole table anew", () => {
  const many = Array.from({ length: 9 }, (_, index) => ({ address: `10.42.0.${index}`, port: 80 }));
  expect(planNftables([frontend({ backends: many })]).backendsMax).toBe(16);
});

test("an address stays known as one that may reach itself as long as any Service leads to it", () => {
  const one = frontend({});
  const other = frontend({
    address: "10.43.0.8",
    backends: [{ address: "10.42.0.2", port: 9090 }],
  });
  const start = { before: [], after: [one, other] };
  const both = countAddresses(new Map(), start);
  const withoutOne = changeOf(byId([one, other]), byId([other]));
  expect(withoutOne).toEqual({ before: [one], after: [] });
  const left = countAddresses(both, withoutOne);
  expect(renderHairpins(both, left, withoutOne)).toEqual([
    "delete element ip mini8s-proxy hairpins { 10.42.1.3 . 10.42.1.3 }",
  ]);
  const none = changeOf(byId([other]), byId([]));
  expect(renderHairpins(left, countAddresses(left, none), none)).toEqual([
    "delete element ip mini8s-proxy hairpins { 10.42.0.2 . 10.42.0.2 }",
  ]);
});

test("only what differs between two tables is planned", () => {
  const [one, other] = [frontend({}), frontend({ address: "10.43.0.8" })];
  const moved = frontend({ address: "10.43.0.8", backends: [] });
  expect(changeOf(byId([one, other]), byId([frontend({}), moved]))).toEqual({
    before: [other],
    after: [moved],
  });
  expect(changeOf(byId([one]), byId([frontend({})]))).toEqual({ before: [], after: [] });
  expect(changeOf(byId([one, other]), byId([other]))).toEqual({ before: [one], after: [] });
});
