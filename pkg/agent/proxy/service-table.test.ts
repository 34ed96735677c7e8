import { describe, expect, test } from "vitest";
import type { Service } from "../../api/generated/core-v1.generated.ts";
import type { Endpoint, EndpointSlice } from "../../api/generated/discovery-v1.generated.ts";
import { buildServiceTable, type ServiceTable } from "./service-table.ts";

const meta = {
  uid: "u",
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
  namespace: "shop",
};

function service(spec: Partial<Service["spec"]>, rest: Partial<Service> = {}): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...meta, name: "web" },
    spec: {
      type: "ClusterIP",
      clusterIP: "10.43.0.7",
      clusterIPs: ["10.43.0.7"],
      ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: 8080 }],
      ...spec,
    },
    status: { loadBalancer: {} },
    ...rest,
  };
}

function slice(endpoints: readonly Endpoint[], name = "web-1"): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...meta, name, labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    endpoints,
    ports: [{ name: "http", protocol: "TCP", port: 8080 }],
  };
}

const here = (address: string, conditions: Endpoint["conditions"] = { ready: true }): Endpoint => ({
  addresses: [address],
  nodeName: "node-1",
  conditions,
});
const there = (address: string): Endpoint => ({
  addresses: [address],
  nodeName: "node-2",
  conditions: { ready: true },
});

function tableOf(one: Service, slices: readonly EndpointSlice[]): ServiceTable {
  return buildServiceTable({
    services: [one],
    slices,
    nodeName: "node-1",
    answeredHere: new Set(["10.43.0.10"]),
  });
}

const addresses = (table: ServiceTable) =>
  table.map(({ backends }) => backends.map(({ address }) => address));

describe("who serves what", () => {
  test("a ClusterIP leads to every ready endpoint of all slices, at the target port", () => {
    const table = tableOf(service({}), [
      slice([here("10.42.0.3")]),
      slice([there("10.42.1.2")], "web-2"),
    ]);
    expect(table).toEqual([
      {
        kind: "address",
        address: "10.43.0.7",
        protocol: "tcp",
        port: 80,
        service: "shop/web:http",
        backends: [
          { address: "10.42.0.3", port: 8080 },
          { address: "10.42.1.2", port: 8080 },
        ],
        affinitySeconds: 0,
        masquerade: false,
        whenEmpty: "reject",
      },
    ]);
  });

  test("an endpoint that is not ready serves nobody", () => {
    expect(
      addresses(
        tableOf(service({}), [slice([here("10.42.0.3", { ready: false }), here("10.42.0.4")])]),
      ),
    ).toEqual([["10.42.0.4"]]);
  });

  test("where no endpoint is ready, those that terminate but still serve take over", () => {
    const leaving = here("10.42.0.3", { ready: false, serving: true, terminating: true });
    const gone = here("10.42.0.4", { ready: false, serving: false, terminating: true });
    expect(addresses(tableOf(service({}), [slice([leaving, gone])]))).toEqual([["10.42.0.3"]]);
    expect(addresses(tableOf(service({}), [slice([leaving, here("10.42.0.5")])]))).toEqual([
      ["10.42.0.5"],
    ]);
  });

  test("externalTrafficPolicy Local keeps outside traffic on the node, unmasked, and drops it where nobody is here", () => {
    const local = service({
      type: "NodePort",
      externalTrafficPolicy: "Local",
      ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: 8080, nodePort: 30080 }],
    });
    const [nodePort, clusterIp] = tableOf(local, [slice([there("10.42.1.2"), here("10.42.0.3")])]);
    expect(nodePort).toMatchObject({
      kind: "node-port",
      port: 30080,
      masquerade: false,
      backends: [{ address: "10.42.0.3" }],
    });
    expect(clusterIp?.backends).toHaveLength(2);
    const [empty] = tableOf(local, [slice([there("10.42.1.2")])]);
    expect(empty).toMatchObject({ backends: [], whenEmpty: "drop" });
  });

  test("internalTrafficPolicy Local keeps cluster traffic on the node", () => {
    expect(
      addresses(
        tableOf(service({ internalTrafficPolicy: "Local" }), [
          slice([there("10.42.1.2"), here("10.42.0.3")]),
        ]),
      ),
    ).toEqual([["10.42.0.3"]]);
  });

  test("external IPs and load balancer addresses are ways in, masked", () => {
    const table = tableOf(
      service(
        { externalIPs: ["192.0.2.1"] },
        {
          status: {
            loadBalancer: { ingress: [{ ip: "192.0.2.2" }, { ip: "192.0.2.3", ipMode: "Proxy" }] },
          },
        },
      ),
      [slice([here("10.42.0.3")])],
    );
    expect(table.map(({ address, masquerade }) => [address, masquerade])).toEqual([
      ["10.43.0.7", false],
      ["192.0.2.1", true],
      ["192.0.2.2", true],
    ]);
  });

  test("headless, ExternalName, foreign-proxied Services and the DNS address have no frontend", () => {
    const none = [
      service({ clusterIP: "None", clusterIPs: ["None"] }),
      service({ type: "ExternalName", externalName: "example.org" }),
      service(
        {},
        {
          metadata: {
            ...meta,
            name: "web",
            labels: { "service.kubernetes.io/service-proxy-name": "other" },
          },
        },
      ),
      service({ clusterIP: "10.43.0.10", clusterIPs: ["10.43.0.10"] }),
    ];
    for (const one of none) expect(tableOf(one, [slice([here("10.42.0.3")])])).toEqual([]);
  });

  test("session affinity lasts three hours unless the Service says otherwise", () => {
    expect(tableOf(service({ sessionAffinity: "ClientIP" }), [])[0]?.affinitySeconds).toBe(10_800);
    expect(
      tableOf(
        service({
          sessionAffinity: "ClientIP",
          sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } },
        }),
        [],
      )[0]?.affinitySeconds,
    ).toBe(5);
  });
});
