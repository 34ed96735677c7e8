import type { NodeScore } from "../score.ts";

/** Prefers nodes with most CPU and memory left once the pod is there. */
export const leastAllocatedScore: NodeScore = {
  name: "NodeResourcesFit",
  weight: 1,
  scale: "absolute",
  rate(pod, { allocatable, assumedUse }) {
    const cpu = share(assumedUse.cpuMillis + pod.assumedUse.cpuMillis, allocatable.cpuMillis);
    const memory = share(
      assumedUse.memoryBytes + pod.assumedUse.memoryBytes,
      allocatable.memoryBytes,
    );
    return Math.floor((cpu + memory) / 2);
  },
};

function share(used: number, size: number): number {
  return used >= size ? 0 : Math.floor(((size - used) * 100) / size);
}
