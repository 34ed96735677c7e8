import { expect, test } from "vitest";
import { ObjectWorld } from "../../../../test/support/object-world.ts";
import type { Service } from "../../../api/generated/core-v1.generated.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import { serviceResource } from "../../../api/resources/service.ts";
import { type Clock, systemClock } from "../../../base/clock.ts";
import { parseAddressRange } from "./address-range.ts";
import { createServiceAllocation } from "./service-allocation.ts";

type Spec = Record<string, unknown>;

function setUp(cidr = "10.43.0.0/16", last = 32767) {
  const world = new ObjectWorld();
  let monotonic = 0;
  const clock: Clock = { ...systemClock, monotonic: () => monotonic };
  const plugin = createServiceAllocation({
    feed: world,
    clock,
    addresses: parseAddressRange(cidr),
    nodePorts: { first: 30000, last },
  });
  const write = (name: string, spec: Spec, previous?: Service, dryRun = false): Service => {
    const object = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace: "shop", uid: name, resourceVersion: "1", creationTimestamp: "" },
      spec: { type: "ClusterIP", ...structuredClone(spec) },
    };
    void plugin.admit?.({
      operation: previous === undefined ? "CREATE" : "UPDATE",
      resource: serviceResource as unknown as ResourceDefinition,
      subresource: "",
      namespace: "shop",
      name,
      object,
      previous,
      user: { username: "jane", groups: [] },
      dryRun,
      warnings: [],
    });
    return object as unknown as Service;
  };
  return {
    world,
    write,
    store: (service: Service) => world.put(serviceResource, service),
    later: (ms: number) => {
      monotonic += ms;
    },
  };
}

const port = (number: number, more: object = {}) => ({ port: number, protocol: "TCP", ...more });

test("a Service gets one address of the range, in one family", () => {
  const { write } = setUp();
  const { spec } = write("web", { ports: [port(80)] });
  expect(spec?.clusterIP).toMatch(/^10\.43\.\d+\.\d+$/);
  expect(spec).toMatchObject({
    clusterIPs: [spec?.clusterIP],
    ipFamilies: ["IPv4"],
    ipFamilyPolicy: "SingleStack",
  });
});

test("no two Services share an address or a port, also while their writes are on the way", () => {
  const { write } = setUp("10.43.0.0/26", 30061);
  const made = Array.from({ length: 62 }, (_, index) =>
    write(`s${index}`, { type: "NodePort", ports: [port(80)] }),
  );
  expect(new Set(made.map(({ spec }) => spec?.clusterIP)).size).toBe(62);
  expect(new Set(made.map(({ spec }) => spec?.ports?.[0]?.nodePort)).size).toBe(62);
  expect(() => write("full", {})).toThrow("failed to allocate a serviceIP: range is full");
});

test("who tries again and again what the store then refuses does not use up what others need", () => {
  const { write } = setUp("10.43.0.0/26", 30061);
  const ports = [port(80, { name: "a" }), port(81, { name: "b" })];
  for (let tries = 0; tries < 200; tries++) write("refused", { type: "NodePort", ports });
  const others = Array.from({ length: 20 }, (_, index) =>
    write(`s${index}`, { type: "NodePort", ports }),
  );
  expect(others).toHaveLength(20);
});

test("an address that was asked for is given once", () => {
  const { write, store } = setUp();
  store(write("a", { clusterIP: "10.43.0.10" }));
  expect(() => write("b", { clusterIP: "10.43.0.10" })).toThrow(
    'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.43.0.10"]: failed to allocate IP 10.43.0.10: provided IP is already allocated',
  );
  expect(() => write("b", { clusterIP: "10.9.0.1" })).toThrow(
    "failed to allocate IP 10.9.0.1: the provided IP (10.9.0.1) is not in the valid range. The range of valid IPs is 10.43.0.0/16",
  );
});

test("what is deleted is free at once; what never reached the store, after a while or for its own retry", () => {
  const { world, write, store, later } = setUp();
  const ask = { clusterIP: "10.43.0.10" };
  store(write("a", ask));
  world.remove(serviceResource as unknown as ResourceDefinition, "shop", "a");
  expect(write("b", ask).spec?.clusterIP).toBe("10.43.0.10");
  expect(write("b", ask).spec?.clusterIP).toBe("10.43.0.10");
  expect(() => write("c", ask)).toThrow("already allocated");
  later(30_000);
  expect(write("c", ask).spec?.clusterIP).toBe("10.43.0.10");
});

test("a dry run takes nothing", () => {
  const { write } = setUp();
  write("a", { clusterIP: "10.43.0.10" }, undefined, true);
  expect(write("b", { clusterIP: "10.43.0.10" }).spec?.clusterIP).toBe("10.43.0.10");
});

test("headless and external Services have no address", () => {
  const { write } = setUp();
  expect(write("a", { clusterIP: "None" }).spec).toMatchObject({
    clusterIP: "None",
    clusterIPs: ["None"],
  });
  const { spec } = write("b", { type: "ExternalName", externalName: "example.com" });
  expect(spec).toEqual({ type: "ExternalName", externalName: "example.com" });
});

test("an update keeps what was given, and its type decides what goes", () => {
  const { write, store } = setUp();
  const first = store(write("a", { type: "NodePort", ports: [port(80)] }));
  const kept = write("a", { type: "NodePort", ports: [port(80), port(81)] }, first);
  expect(kept.spec?.clusterIP).toBe(first.spec?.clusterIP);
  expect(kept.spec?.ports?.[0]?.nodePort).toBe(first.spec?.ports?.[0]?.nodePort);
  expect(kept.spec?.ports?.[1]?.nodePort).not.toBe(first.spec?.ports?.[0]?.nodePort);
  const internal = write("a", { ...first.spec, type: "ClusterIP" }, first);
  expect(internal.spec?.ports?.[0]?.nodePort).toBeUndefined();
  expect(internal.spec?.clusterIP).toBe(first.spec?.clusterIP);
  const external = write("a", { ...first.spec, type: "ExternalName", externalName: "x" }, first);
  expect(external.spec?.clusterIP).toBeUndefined();
  expect(external.spec?.clusterIPs).toBeUndefined();
});

test("a node port serves TCP and UDP of one port", () => {
  const { write } = setUp();
  const { spec } = write("dns", {
    type: "NodePort",
    ports: [port(53), port(53, { protocol: "UDP" }), port(80)],
  });
  const [tcp, udp, http] = spec?.ports ?? [];
  expect(udp?.nodePort).toBe(tcp?.nodePort);
  expect(http?.nodePort).not.toBe(tcp?.nodePort);
});

test.each([
  [
    29999,
    "spec.ports[0].nodePort: Invalid value: 29999: provided port is not in the valid range. The range of valid ports is 30000-32767",
  ],
  [30080, "spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated"],
])("node port %i is refused", (nodePort, message) => {
  const { write, store } = setUp();
  store(write("a", { type: "NodePort", ports: [port(80, { nodePort: 30080 })] }));
  const spec = { type: "NodePort", ports: [port(80, { nodePort })] };
  expect(() => write("b", spec)).toThrow(`Service "b" is invalid: ${message}`);
});

test("a load balancer with local traffic has a port for health checks", () => {
  const { write } = setUp();
  const { spec } = write("lb", {
    type: "LoadBalancer",
    externalTrafficPolicy: "Local",
    ports: [port(80)],
  });
  expect(spec?.healthCheckNodePort).toBeGreaterThanOrEqual(30000);
  expect(spec?.healthCheckNodePort).not.toBe(spec?.ports?.[0]?.nodePort);
});

test("IPv6 is refused where there is none", () => {
  const { write } = setUp();
  expect(() => write("a", { ipFamilies: ["IPv6"] })).toThrow(
    'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
  );
  expect(() => write("a", { ipFamilyPolicy: "RequireDualStack" })).toThrow("spec.ipFamilyPolicy");
});
