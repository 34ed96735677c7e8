import { describe, expect, test } from "vitest";
import { formatQuantity } from "../quantity.ts";
import { podLimits, podRequests, qosClassOf } from "./pod-resources.ts";

interface Asks {
  readonly cpu?: string;
  readonly memory?: string;
}

const container = (requests: Asks, more: { restartPolicy?: string; limits?: Asks } = {}) => ({
  name: "c",
  resources: { requests: { ...requests }, ...(more.limits && { limits: { ...more.limits } }) },
  ...(more.restartPolicy !== undefined && { restartPolicy: more.restartPolicy }),
});

function totals(map: ReturnType<typeof podRequests>): Record<string, string> {
  return Object.fromEntries([...map].map(([name, amount]) => [name, formatQuantity(amount)]));
}

describe("what a pod asks for", () => {
  test("is what its containers ask for together", () => {
    const spec = {
      containers: [container({ cpu: "100m" }), container({ cpu: "1", memory: "1Gi" })],
    };
    expect(totals(podRequests({ spec }))).toEqual({ cpu: "1100m", memory: "1Gi" });
  });

  test("is at least what its dearest init container asks for", () => {
    const spec = {
      containers: [container({ cpu: "100m", memory: "1Gi" })],
      initContainers: [container({ cpu: "500m" }), container({ cpu: "200m" })],
    };
    expect(totals(podRequests({ spec }))).toEqual({ cpu: "500m", memory: "1Gi" });
  });

  test("counts a sidecar beside the containers, and beside what starts after it", () => {
    const sidecar = container({ cpu: "300m" }, { restartPolicy: "Always" });
    const spec = {
      containers: [container({ cpu: "100m" })],
      initContainers: [container({ cpu: "600m" }), sidecar, container({ cpu: "500m" })],
    };
    // 500m starts while the sidecar's 300m runs; 600m is over by then.
    expect(totals(podRequests({ spec }))).toEqual({ cpu: "800m" });
  });

  test("is what the pod says as a whole, with the overhead", () => {
    const spec = {
      containers: [container({ cpu: "100m", memory: "1Gi" })],
      resources: { requests: { cpu: "2" } },
      overhead: { cpu: "10m", memory: "1Mi" },
    };
    expect(totals(podRequests({ spec }))).toEqual({ cpu: "2010m", memory: "1025Mi" });
  });

  test("has limits only where there are some", () => {
    const spec = {
      containers: [container({}, { limits: { cpu: "1" } })],
      overhead: { cpu: "10m", memory: "1Mi" },
    };
    expect(totals(podLimits({ spec }))).toEqual({ cpu: "1010m" });
  });
});

test.each<[string, Asks, Asks | undefined]>([
  ["BestEffort", {}, undefined],
  ["BestEffort", { cpu: "0" }, undefined],
  ["Burstable", { cpu: "1" }, undefined],
  ["Burstable", { cpu: "1" }, { cpu: "1" }],
  ["Burstable", { cpu: "1", memory: "1Gi" }, { cpu: "2", memory: "1Gi" }],
  ["Guaranteed", { cpu: "1000m", memory: "1Gi" }, { cpu: "1", memory: "1024Mi" }],
])("quality of service: %s", (expected, requests, limits) => {
  const spec = { containers: [container(requests, limits === undefined ? {} : { limits })] };
  expect(qosClassOf({ spec })).toBe(expected);
});
