import type { NodeFilter } from "../filter.ts";

/** Rejects nodes that have too little left of what the pod asks for, or that run as many pods as they may. */
export const resourcesFilter: NodeFilter = {
  name: "NodeResourcesFit",
  reconsideredWhen: "pod-leaves-or-node-changes",
  reject({ requests }, { allocatable, requested, podCount, podsMax }) {
    const reasons: string[] = [];
    // Where even an empty node is too small, no pod need be moved away for this one.
    let roomWouldHelp = true;
    const check = (name: string, wanted: number, used: number, size: number) => {
      if (wanted === 0 || wanted <= size - used) return;
      reasons.push(`Insufficient ${name}`);
      if (wanted > size) roomWouldHelp = false;
    };
    if (podCount + 1 > podsMax) reasons.push("Too many pods");
    check("cpu", requests.cpuMillis, requested.cpuMillis, allocatable.cpuMillis);
    check("memory", requests.memoryBytes, requested.memoryBytes, allocatable.memoryBytes);
    check(
      "ephemeral-storage",
      requests.ephemeralStorageBytes,
      requested.ephemeralStorageBytes,
      allocatable.ephemeralStorageBytes,
    );
    for (const [name, wanted] of requests.others) {
      const used = requested.others.get(name) ?? 0;
      check(name, wanted, used, allocatable.others.get(name) ?? 0);
    }
    return reasons.length === 0 ? undefined : { reasons, roomWouldHelp };
  },
};
