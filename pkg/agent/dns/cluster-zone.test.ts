import { describe, expect, test } from "vitest";
import type { Service } from "../../api/generated/core-v1.generated.ts";
import type { EndpointSlice } from "../../api/generated/discovery-v1.generated.ts";
import { answerFromCluster, type ZoneSource } from "./cluster-zone.ts";

const meta = {
  uid: "u",
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
  namespace: "shop",
};

function service(name: string, spec: Partial<Service["spec"]>): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...meta, name },
    spec,
    status: { loadBalancer: {} },
  };
}

const services = [
  service("web", {
    clusterIP: "10.43.0.7",
    clusterIPs: ["10.43.0.7"],
    ports: [{ name: "http", protocol: "TCP", port: 80 }],
  }),
  service("db", {
    clusterIP: "None",
    clusterIPs: ["None"],
    ports: [{ name: "pg", protocol: "TCP", port: 5432 }],
  }),
  service("empty", { clusterIP: "None", clusterIPs: ["None"] }),
  service("elsewhere", { type: "ExternalName", externalName: "db.example.org" }),
];

const slices: readonly EndpointSlice[] = [
  {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...meta, name: "db-1" },
    addressType: "IPv4",
    endpoints: [
      { addresses: ["10.42.0.3"], hostname: "db-0", conditions: { ready: true } },
      { addresses: ["10.42.0.4"], conditions: { ready: true } },
      { addresses: ["10.42.0.5"], hostname: "db-2", conditions: { ready: false } },
    ],
    ports: [{ name: "pg", protocol: "TCP", port: 5432 }],
  },
];

const source: ZoneSource = {
  service: (namespace, name) =>
    namespace === "shop" ? services.find(({ metadata }) => metadata.name === name) : undefined,
  slices: (_namespace, name) => (name === "db" ? slices : []),
  namespaceExists: (name) => name === "shop",
  serviceByAddress: (address) => services.find(({ spec }) => spec.clusterIPs?.includes(address)),
};

const ask = (name: string, type = "A") => {
  const answer = answerFromCluster(source, "cluster.local", name, type);
  return answer.outcome === "records" ? answer.records.map(({ data }) => data) : answer.outcome;
};

describe("names of the cluster", () => {
  test.each([
    ["web.shop.svc.cluster.local", "A", ["10.43.0.7"]],
    ["WEB.Shop.svc.Cluster.local.", "A", ["10.43.0.7"]],
    ["web.shop.svc.cluster.local", "AAAA", "empty"],
    ["nobody.shop.svc.cluster.local", "A", "missing"],
    ["web.nowhere.svc.cluster.local", "A", "missing"],
    ["shop.svc.cluster.local", "A", "empty"],
    ["nowhere.svc.cluster.local", "A", "missing"],
    ["svc.cluster.local", "A", "empty"],
    ["cluster.local", "A", "empty"],
    ["constructor.cluster.local", "A", "missing"],
    ["example.org", "A", "foreign"],
    ["db.shop.svc.cluster.local", "A", ["10.42.0.3", "10.42.0.4"]],
    ["db-0.db.shop.svc.cluster.local", "A", ["10.42.0.3"]],
    ["10-42-0-4.db.shop.svc.cluster.local", "A", ["10.42.0.4"]],
    ["db-2.db.shop.svc.cluster.local", "A", "missing"],
    ["empty.shop.svc.cluster.local", "A", "missing"],
    ["elsewhere.shop.svc.cluster.local", "A", ["db.example.org"]],
    ["10-42-0-9.shop.pod.cluster.local", "A", ["10.42.0.9"]],
    ["10-42-0-999.shop.pod.cluster.local", "A", "missing"],
    ["10-42-0-9.nowhere.pod.cluster.local", "A", "missing"],
    ["7.0.43.10.in-addr.arpa", "PTR", ["web.shop.svc.cluster.local"]],
    ["8.8.8.8.in-addr.arpa", "PTR", "foreign"],
  ])("%s %s", (name, type, expected) => {
    expect(ask(name, type)).toEqual(expected);
  });

  test("a named port's SRV leads to the Service, or to each host of a headless one", () => {
    expect(ask("_http._tcp.web.shop.svc.cluster.local", "SRV")).toEqual([
      { priority: 0, weight: 100, port: 80, target: "web.shop.svc.cluster.local" },
    ]);
    expect(ask("_pg._tcp.db.shop.svc.cluster.local", "SRV")).toEqual([
      { priority: 0, weight: 50, port: 5432, target: "db-0.db.shop.svc.cluster.local" },
      { priority: 0, weight: 50, port: 5432, target: "10-42-0-4.db.shop.svc.cluster.local" },
    ]);
    expect(ask("_nope._tcp.web.shop.svc.cluster.local", "SRV")).toBe("missing");
    expect(ask("_http._udp.web.shop.svc.cluster.local", "SRV")).toBe("missing");
  });
});
