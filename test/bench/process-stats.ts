import { readdirSync, readFileSync } from "node:fs";

/** What a process has used since its start, and what it holds now. */
export interface ProcessStats {
  readonly rssMb: number;
  readonly cpuSeconds: number;
  readonly writtenBytes: number;
}

/** The kernel's USER_HZ, which is 100 on every architecture mini8s runs on. */
const ticksPerSecond = 100;

export function processStats(pid: number): ProcessStats {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const io = readFileSync(`/proc/${pid}/io`, "utf8");
  // The name before may hold anything, spaces and brackets included.
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  const userTicks = Number(stat[11]);
  const systemTicks = Number(stat[12]);
  return {
    rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024,
    cpuSeconds: (userTicks + systemTicks) / ticksPerSecond,
    writtenBytes: Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? 0),
  };
}

/** The process whose command line contains all of `parts`, or undefined. */
export function findProcess(...parts: readonly string[]): number | undefined {
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const line = readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ");
      if (parts.every((part) => line.includes(part))) return Number(entry);
    } catch {
      // It ended meanwhile.
    }
  }
  return undefined;
}
