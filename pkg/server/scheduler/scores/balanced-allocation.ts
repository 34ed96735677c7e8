import type { NodeScore } from "../score.ts";

/** Prefers nodes whose CPU and memory are used in like measure, so that none is left over. */
export const balancedAllocationScore: NodeScore = {
  name: "NodeResourcesBalancedAllocation",
  weight: 1,
  scale: "absolute",
  rate(pod, { allocatable, requested }) {
    const { requests } = pod;
    // A pod that asks for nothing tips no balance.
    if (requests.cpuMillis === 0 && requests.memoryBytes === 0) return 0;
    const cpu = fraction(requested.cpuMillis + requests.cpuMillis, allocatable.cpuMillis);
    const memory = fraction(requested.memoryBytes + requests.memoryBytes, allocatable.memoryBytes);
    // Of two numbers the standard deviation is half their distance.
    return Math.floor((1 - Math.abs(cpu - memory) / 2) * 100);
  },
};

function fraction(used: number, size: number): number {
  return size === 0 ? 1 : Math.min(1, used / size);
}
