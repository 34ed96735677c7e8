import { setTimeout as sleep } from "node:timers/promises";
import { BenchNode } from "./bench-node.ts";
import { BenchServer } from "./bench-server.ts";
import { clusterLock } from "./cluster-lock.ts";
import type { Figure } from "./figure.ts";
import { processStats } from "./process-stats.ts";

const settleMs = 20_000;
const watchMs = 60_000;
const secondsPerHour = 3_600;

interface Idle {
  readonly rssMb: number;
  readonly cpuPercent: number;
  readonly writtenMbPerHour: number;
}

/** What mini8s costs while nobody asks anything of it. Both are watched at once: neither uses much of the machine. */
export async function measureIdle(): Promise<readonly Figure[]> {
  using _ = await clusterLock();
  await using server = await BenchServer.start();
  await using node = await BenchNode.start();
  await sleep(settleMs);
  const [alone, whole, containerd] = await Promise.all(
    [server.pid, node.pid, node.containerdPid].map(idleOf),
  );
  if (alone === undefined || whole === undefined || containerd === undefined)
    throw new Error("nothing was watched");
  return [
    ...figures("control plane alone", alone),
    ...figures("server with its node", whole, { rssMb: 220, cpuPercent: 1, writtenMbPerHour: 4 }),
    ...figures("its containerd", containerd),
  ];
}

async function idleOf(pid: number): Promise<Idle> {
  const before = processStats(pid);
  const started = performance.now();
  await sleep(watchMs);
  const seconds = (performance.now() - started) / 1_000;
  const after = processStats(pid);
  const writtenMb = (after.writtenBytes - before.writtenBytes) / 1e6;
  return {
    rssMb: after.rssMb,
    cpuPercent: ((after.cpuSeconds - before.cpuSeconds) / seconds) * 100,
    writtenMbPerHour: (writtenMb / seconds) * secondsPerHour,
  };
}

function figures(who: string, idle: Idle, budget?: Idle): readonly Figure[] {
  const figure = (what: string, unit: string, key: keyof Idle): Figure => ({
    name: `idle, ${who}: ${what}`,
    unit,
    value: idle[key],
    ...(budget === undefined ? {} : { budget: budget[key] }),
    better: "less",
  });
  return [
    figure("resident memory", "MB", "rssMb"),
    figure("CPU", "% of a core", "cpuPercent"),
    figure("written", "MB/h", "writtenMbPerHour"),
  ];
}
