import { describe, expect, test } from "vitest";
import { ObjectWorld } from "../../../../test/support/object-world.ts";
import type { Service } from "../../../api/generated/core-v1.generated.ts";
import type { Draft } from "../../../api/object.ts";
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
      status: {},
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
    if (previous !== undefined) {
      serviceResource.prepareUpdate?.(object as unknown as Draft<Service>, previous);
    }
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
    "failed to allocate IP 10.9.0.1: the provided network does not match the current range",
  );
  expect(() => write("b", { clusterIP: "10.43.255.255" })).toThrow(
    "failed to allocate IP 10.43.255.255: the provided IP (10.43.255.255) is not in the valid range. The range of valid IPs is 10.43.0.0/16",
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
  const [one, two] = [port(80, { name: "one" }), port(81, { name: "two" })];
  const first = store(write("a", { type: "NodePort", ports: [one] }));
  const kept = write("a", { type: "NodePort", ports: [one, two] }, first);
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

describe("node ports", () => {
  const web = { type: "NodePort", ports: [port(80, { name: "a", nodePort: 30080 })] };

  test("that a load balancer asks for it gets, also where it needs none", () => {
    const { write, store } = setUp();
    const spec = { type: "LoadBalancer", allocateLoadBalancerNodePorts: false };
    const ports = [port(80, { name: "a" }), port(81, { name: "b", nodePort: 30080 })];
    const made = store(write("lb", { ...spec, ports }));
    expect(made.spec?.ports?.map(({ nodePort }) => nodePort)).toEqual([undefined, 30080]);
    expect(() => write("b", web)).toThrow("provided port is already allocated");
  });

  test("are asked for once by a new Service", () => {
    const { write } = setUp();
    const ports = [...web.ports, port(53, { name: "b", protocol: "UDP", nodePort: 30080 })];
    expect(() => write("a", { ...web, ports })).toThrow(
      "spec.ports[1].nodePort: Invalid value: 30080: provided port is already allocated",
    );
  });

  test("may move within a Service that is there", () => {
    const { write, store } = setUp();
    const first = store(write("a", web));
    const ports = [port(80, { name: "a" }), port(81, { name: "b", nodePort: 30080 })];
    const moved = write("a", { type: "NodePort", ports }, first);
    expect(moved.spec?.ports?.[1]?.nodePort).toBe(30080);
    expect(moved.spec?.ports?.[0]?.nodePort).toBeGreaterThanOrEqual(30000);
    expect(moved.spec?.ports?.[0]?.nodePort).not.toBe(30080);
  });

  test("for health checks are taken as others are", () => {
    const { write, store } = setUp();
    store(write("a", web));
    const local = { type: "LoadBalancer", externalTrafficPolicy: "Local", ports: [port(80)] };
    expect(() => write("b", { ...local, healthCheckNodePort: 30080 })).toThrow(
      "spec.healthCheckNodePort: Invalid value: 30080: failed to allocate requested HealthCheck NodePort 30080: provided port is already allocated",
    );
  });
});

describe("families", () => {
  const dual = { ipFamilyPolicy: "PreferDualStack" };

  test.each<[string, Spec, Spec]>([
    ["one where nothing is said", {}, { ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" }],
    ["one where two would be better", dual, { ...dual, ipFamilies: ["IPv4"] }],
    [
      "both for a headless Service without a selector, whose endpoints others make",
      { clusterIP: "None" },
      { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" },
    ],
    [
      "one for a headless Service with a selector",
      { clusterIP: "None", selector: { a: "b" } },
      { ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" },
    ],
  ])("%s", (_what, spec, expected) => {
    expect(setUp().write("a", spec).spec).toMatchObject(expected);
  });

  test.each<[Spec, string]>([
    [
      { clusterIP: "::1" },
      'spec.clusterIPs[0]: Invalid value: ["::1"]: IPv6 is not configured on this cluster',
    ],
    [
      { ipFamilies: ["IPv4", "IPv6"] },
      "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
    ],
    [
      { ipFamilyPolicy: "RequireDualStack" },
      'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    ],
    [
      { clusterIPs: ["10.43.0.9"] },
      'spec.clusterIPs: Invalid value: ["10.43.0.9"]: must be empty when `clusterIP` is not specified',
    ],
  ])("%j is refused", (spec, message) => {
    expect(() => setUp().write("a", spec)).toThrow(message);
  });

  test("another address of a Service that is there is not even looked for", () => {
    const { write, store } = setUp();
    const first = store(write("a", { clusterIP: "10.43.0.9" }));
    store(write("b", { clusterIP: "10.43.0.10" }));
    const asked = { ...first.spec, clusterIP: "10.43.0.10" };
    expect(write("a", asked, first).spec?.clusterIPs).toEqual(["10.43.0.10"]);
  });
});
