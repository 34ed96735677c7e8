import { expect, test } from "vitest";
import { aPod } from "../../../test/support/pods.ts";
import { parseResolvConf, podResolvConf } from "./pod-dns.ts";

const cluster = { servers: ["10.43.0.10"], domain: "cluster.local" };
const host = parseResolvConf("# mine\nsearch lan\nnameserver 192.0.2.53\noptions timeout:1\n");

test("a pod asks the cluster's DNS first", () => {
  expect(podResolvConf(aPod(), cluster, host)).toEqual({
    servers: ["10.43.0.10"],
    searches: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local", "lan"],
    options: ["ndots:5"],
  });
});

test("a pod on the host's network asks as the host does, unless it says otherwise", () => {
  expect(podResolvConf(aPod({ hostNetwork: true }), cluster, host)).toEqual(host);
  const both = aPod({ hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" });
  expect(podResolvConf(both, cluster, host).servers).toEqual(["10.43.0.10"]);
});

test("dnsConfig adds servers and domains, and replaces options", () => {
  const dnsConfig = {
    nameservers: ["192.0.2.1"],
    searches: ["example.com"],
    options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
  };
  expect(podResolvConf(aPod({ dnsPolicy: "None", dnsConfig }), cluster, host)).toEqual({
    servers: ["192.0.2.1"],
    searches: ["example.com"],
    options: ["ndots:2", "edns0"],
  });
  expect(podResolvConf(aPod({ dnsConfig }), cluster, host).options).toEqual(["ndots:2", "edns0"]);
});

test("a resolver on the host's loopback is asked through the cluster's DNS: a pod has a loopback of its own", () => {
  const stub = parseResolvConf("nameserver 127.0.0.53\noptions edns0\n");
  const byDefault = aPod({ dnsPolicy: "Default" });
  expect(podResolvConf(byDefault, cluster, stub)).toEqual({
    servers: ["10.43.0.10"],
    searches: [],
    options: ["edns0"],
  });
  expect(podResolvConf(byDefault, cluster, host)).toEqual(host);
  const onHost = aPod({ dnsPolicy: "Default", hostNetwork: true });
  expect(podResolvConf(onHost, cluster, stub).servers).toEqual(["127.0.0.53"]);
});
