import { describe, expect, test } from "vitest";
import { aContainer, aPod } from "../../../test/support/pods.ts";
import type { ResourceRequirements } from "../../api/generated/core-v1.generated.ts";
import {
  containerLimits,
  cpuQuota,
  cpuShares,
  podCgroupLimits,
  podCgroupPath,
  qosClassOf,
} from "./resources.ts";

const gibibyte = 1024 ** 3;
const podOf = (...resources: readonly ResourceRequirements[]) =>
  aPod({
    containers: resources.map((list, index) => aContainer(`c${index}`, { resources: list })),
  });

const full = { limits: { cpu: "500m", memory: "64Mi" } };
const some = { requests: { cpu: "100m" } };

describe("the quality of service", () => {
  test.each([
    ["BestEffort", podOf({})],
    ["Burstable", podOf(some)],
    ["Burstable", podOf(full, {})],
    ["Guaranteed", podOf(full)],
    ["Burstable", podOf({ ...full, requests: { cpu: "100m", memory: "64Mi" } })],
  ] as const)("%s", (qos, pod) => {
    expect(qosClassOf(pod)).toBe(qos);
  });

  test("is the level that the pod's control group lies in", () => {
    expect(podCgroupPath("/kubepods", podOf(full))).toBe("/kubepods/podu");
    expect(podCgroupPath("/kubepods", podOf(some))).toBe("/kubepods/burstable/podu");
    expect(podCgroupPath("/kubepods", podOf({}))).toBe("/kubepods/besteffort/podu");
  });
});

test("cpu as the kernel counts it", () => {
  expect([0, 1, 100, 1000].map(cpuShares)).toEqual([2, 2, 102, 1024]);
  expect([0, 1, 500, 2000].map(cpuQuota)).toEqual([0, 1_000, 50_000, 200_000]);
});

test("who asked for less memory is killed sooner", () => {
  const adjust = (memory: string) => {
    const pod = podOf({ requests: { memory } });
    const [container] = pod.spec.containers;
    return container === undefined
      ? undefined
      : containerLimits(pod, container, gibibyte).oomScoreAdj;
  };
  expect(adjust("512Mi")).toBe(500n);
  expect(adjust("1Ki")).toBe(999n);
  expect(adjust("1Gi")).toBe(3n);
});

test("a pod is limited as a whole only where each of its containers is", () => {
  expect(podCgroupLimits(podOf(full, full))).toEqual({
    cpuShares: 1024,
    cpuQuotaMicroseconds: 100_000,
    memoryBytes: 128 * 1024 ** 2,
  });
  expect(podCgroupLimits(podOf(full, {}))).toEqual({ cpuShares: 512 });
});
