import { expect, test } from "vitest";
import type { Frontend } from "../service-table.ts";
import { planIptables, renderIptables } from "./plan.ts";

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

test("a Service, its node port and one without pods, as one text for iptables-restore", () => {
  const plan = planIptables(
    [
      frontend({}),
      frontend({ kind: "node-port", address: "", port: 30_080, masquerade: true }),
      frontend({ address: "10.43.0.9", port: 443, service: "shop/none", backends: [] }),
    ],
    network,
  );
  expect(renderIptables(undefined, plan)).toMatchInlineSnapshot(`
    "*nat
    :MINI8S-SEP-541B169F36554FEB - [0:0]
    :MINI8S-SEP-0AA244A7A457D384 - [0:0]
    :MINI8S-SVC-24F43D6C2CA8CF16 - [0:0]
    :MINI8S-SEP-7146D59EF5F6E021 - [0:0]
    :MINI8S-SEP-73A2EBDC1FE1C242 - [0:0]
    :MINI8S-SVC-72B6E3958399EF19 - [0:0]
    :MINI8S-NODEPORTS - [0:0]
    :MINI8S-SERVICES - [0:0]
    :MINI8S-MARK - [0:0]
    :MINI8S-POSTROUTING - [0:0]
    -A MINI8S-SEP-541B169F36554FEB -s 10.42.0.2/32 -j MINI8S-MARK
    -A MINI8S-SEP-541B169F36554FEB -p tcp -m tcp -j DNAT --to-destination 10.42.0.2:8080
    -A MINI8S-SEP-0AA244A7A457D384 -s 10.42.1.3/32 -j MINI8S-MARK
    -A MINI8S-SEP-0AA244A7A457D384 -p tcp -m tcp -j DNAT --to-destination 10.42.1.3:8080
    -A MINI8S-SVC-24F43D6C2CA8CF16 ! -s 10.42.0.0/16 -d 10.43.0.0/16 -j MINI8S-MARK
    -A MINI8S-SVC-24F43D6C2CA8CF16 -m statistic --mode random --probability 0.5000000000 -j MINI8S-SEP-541B169F36554FEB
    -A MINI8S-SVC-24F43D6C2CA8CF16 -j MINI8S-SEP-0AA244A7A457D384
    -A MINI8S-SEP-7146D59EF5F6E021 -s 10.42.0.2/32 -j MINI8S-MARK
    -A MINI8S-SEP-7146D59EF5F6E021 -p tcp -m tcp -j DNAT --to-destination 10.42.0.2:8080
    -A MINI8S-SEP-73A2EBDC1FE1C242 -s 10.42.1.3/32 -j MINI8S-MARK
    -A MINI8S-SEP-73A2EBDC1FE1C242 -p tcp -m tcp -j DNAT --to-destination 10.42.1.3:8080
    -A MINI8S-SVC-72B6E3958399EF19 -j MINI8S-MARK
    -A MINI8S-SVC-72B6E3958399EF19 -m statistic --mode random --probability 0.5000000000 -j MINI8S-SEP-7146D59EF5F6E021
    -A MINI8S-SVC-72B6E3958399EF19 -j MINI8S-SEP-73A2EBDC1FE1C242
    -A MINI8S-NODEPORTS -p tcp -m tcp --dport 30080 -m comment --comment "shop/web:http" -j MINI8S-SVC-72B6E3958399EF19
    -A MINI8S-SERVICES -d 10.43.0.7/32 -p tcp -m tcp --dport 80 -m comment --comment "shop/web:http" -j MINI8S-SVC-24F43D6C2CA8CF16
    -A MINI8S-SERVICES -m addrtype --dst-type LOCAL ! -d 127.0.0.0/8 -j MINI8S-NODEPORTS
    -A MINI8S-MARK -j MARK --set-xmark 0x4000/0x4000
    -A MINI8S-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
    -A MINI8S-POSTROUTING -j MARK --set-xmark 0x0/0x4000
    -A MINI8S-POSTROUTING -j MASQUERADE --random-fully
    COMMIT
    *filter
    :MINI8S-UNSERVED - [0:0]
    -A MINI8S-UNSERVED -d 10.43.0.9/32 -p tcp -m tcp --dport 443 -m comment --comment "shop/none" -j REJECT
    COMMIT
    "
  `);
});

test("a change rewrites what changed and takes away what is gone", () => {
  const before = planIptables([frontend({})], network);
  const [stays] = frontend({}).backends;
  const after = planIptables([frontend({ backends: stays === undefined ? [] : [stays] })], network);
  expect(renderIptables(before, after)).toMatchInlineSnapshot(`
    "*nat
    :MINI8S-SVC-24F43D6C2CA8CF16 - [0:0]
    :MINI8S-SEP-0AA244A7A457D384 - [0:0]
    -A MINI8S-SVC-24F43D6C2CA8CF16 ! -s 10.42.0.0/16 -d 10.43.0.0/16 -j MINI8S-MARK
    -A MINI8S-SVC-24F43D6C2CA8CF16 -j MINI8S-SEP-541B169F36554FEB
    -X MINI8S-SEP-0AA244A7A457D384
    COMMIT
    "
  `);
  expect(renderIptables(after, after)).toBe("");
});

test("who comes from outside under policy Local is not masqueraded: only cluster IPs are", () => {
  const plan = planIptables([frontend({ address: "198.51.100.7" })], network);
  const marks = [...plan.nat.values()].flat().filter((rule) => rule.includes("! -s 10.42.0.0/16"));
  expect(marks).toEqual(["! -s 10.42.0.0/16 -d 10.43.0.0/16 -j MINI8S-MARK"]);
});
