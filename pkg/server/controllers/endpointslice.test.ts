import { describe, expect, test } from "vitest";
import type { Node, Pod, Service } from "../../api/generated/core-v1.generated.ts";
import type { EndpointSlice } from "../../api/generated/discovery-v1.generated.ts";
import { planSlices, type SlicePlan } from "./endpointslice.ts";

const metadata = (name: string) => ({
  name,
  namespace: "default",
  uid: name,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
});

function service(spec: Partial<Service["spec"]> = {}): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata("web"),
    spec: {
      clusterIP: "10.43.0.9",
      ipFamilies: ["IPv4"],
      ports: [{ port: 80, targetPort: "http", protocol: "TCP" }],
      selector: { app: "web" },
      ...spec,
    },
    status: {} as Service["status"],
  };
}

function pod(index: number, port = 8080): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: metadata(`p${index}`),
    spec: {
      nodeName: "a",
      containers: [
        {
          name: "c",
          resources: {},
          ports: [{ name: "http", containerPort: port, protocol: "TCP" }],
        },
      ],
    },
    status: {
      phase: "Running",
      podIPs: [{ ip: `10.42.${index >> 8}.${index & 255}` }],
      conditions: [{ type: "Ready", status: "True" }],
    },
  };
}

const pods = (count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => pod(first + index));
const node = (name: string) => (name === "a" ? ({ metadata: metadata("a") } as Node) : undefined);

let names = 0;
/** The slices that there are once the plan is done. */
function done(plan: SlicePlan, before: readonly EndpointSlice[]): readonly EndpointSlice[] {
  const kept = before.filter((slice) => !plan.remove.includes(slice));
  const updated = kept.map(
    (slice) => plan.update.find((each) => each.metadata.uid === slice.metadata.uid) ?? slice,
  );
  const created = plan.create.map((slice) => {
    names += 1;
    return { ...slice, metadata: { ...metadata(`web-${names}`), ...slice.metadata } };
  });
  return [...updated, ...(created as EndpointSlice[])];
}

const sizes = (slices: readonly EndpointSlice[]) =>
  slices.map(({ endpoints = [] }) => endpoints.length);
const writes = ({ create, update, remove }: SlicePlan) =>
  create.length + update.length + remove.length;

describe("slices", () => {
  test("hold at most a hundred endpoints, and stay as they are while nothing changes", () => {
    const slices = done(planSlices(service(), pods(250), node, []), []);
    expect(sizes(slices).sort()).toEqual([100, 100, 50]);
    expect(writes(planSlices(service(), pods(250), node, slices))).toBe(0);
  });

  test("change one at a time when one pod comes or goes", () => {
    const slices = done(planSlices(service(), pods(250), node, []), []);
    const more = planSlices(service(), pods(251), node, slices);
    expect([writes(more), more.update.length]).toEqual([1, 1]);
    const fewer = planSlices(service(), pods(249, 1), node, slices);
    expect([writes(fewer), fewer.update.length]).toEqual([1, 1]);
  });

  test("say that nobody serves where nobody does", () => {
    const slices = done(planSlices(service(), [], node, []), []);
    expect(sizes(slices)).toEqual([0]);
    expect(writes(planSlices(service(), [], node, slices))).toBe(0);
    const filled = planSlices(service(), pods(1), node, slices);
    expect([filled.create.length, filled.update.length, filled.remove.length]).toEqual([0, 1, 0]);
  });

  test("are apart for pods whose named port has another number", () => {
    const slices = done(planSlices(service(), [pod(1), pod(2, 9090), pod(3)], node, []), []);
    expect(slices.map(({ ports, endpoints }) => [ports?.[0]?.port, endpoints?.length])).toEqual([
      [8080, 2],
      [9090, 1],
    ]);
  });

  test("say of each pod whether it is ready, serves, and ends", () => {
    const ending = {
      ...pod(1),
      metadata: { ...metadata("p1"), deletionTimestamp: "2026-01-01T00:00:00Z" },
    };
    const starting: Pod = { ...pod(2), status: { ...pod(2).status, conditions: [] } };
    const elsewhere: Pod = { ...pod(3), spec: { ...pod(3).spec, nodeName: "gone" } };
    const ended: Pod = { ...pod(4), status: { ...pod(4).status, phase: "Succeeded" } };
    const all = [ending, starting, elsewhere, ended];
    const conditions = (asked: Service) =>
      planSlices(asked, all, node, []).create[0]?.endpoints?.map((each) => each.conditions);
    expect(conditions(service())).toEqual([
      { ready: false, serving: true, terminating: true },
      { ready: false, serving: false, terminating: false },
    ]);
    expect(
      conditions(service({ publishNotReadyAddresses: true }))?.map(({ ready }) => ready),
    ).toEqual([true, true, true]);
  });

  test("are labeled headless where the service has no address", () => {
    const plan = planSlices(service({ clusterIP: "None" }), pods(1), node, []);
    expect(plan.create[0]?.metadata.labels).toHaveProperty(["service.kubernetes.io/headless"], "");
  });
});
