import { readdirSync, readFileSync } from "node:fs";

/** What a process has used since its start, and what it holds now. */
export interface ProcessStats {
  readonly rssMb: number;
  readonly cpuSeconds: number;
  readonly writtenBytes: number;
}

export function processStats(pid: number): ProcessStats {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const io = readFileSync(`/proc/${pid}/io`, "utf8");
  return {
    rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024,
    cpuSeconds: cpuNanoseconds(pid) / 1e9,
    writtenBytes: Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? 0),
  };
}

/** Of all threads. To the nanosecond, because an idle process uses less than a tick of `stat` in a minute. */
function cpuNanoseconds(pid: number): number {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [running] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    sum += Number(running);
  }
  return sum;
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
