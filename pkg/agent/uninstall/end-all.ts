import type { Clock } from "../../base/clock.ts";
import type { Processes } from "../host/processes.ts";

const patienceMs = 10_000;
const lookMs = 20;

/** Kills what `find` names until it names nothing: what dies may have started something meanwhile. */
export async function endAll(
  processes: Processes,
  clock: Clock,
  signal: AbortSignal,
  find: () => Promise<readonly number[]>,
): Promise<void> {
  const deadline = clock.monotonic() + patienceMs;
  for (;;) {
    const found = await find();
    if (found.length === 0) return;
    for (const pid of found) processes.signal(pid, "SIGKILL");
    if (clock.monotonic() > deadline)
      throw new Error(`process ${found[0]} does not end: look at it with ps, and run this again`);
    await clock.sleep(lookMs, signal);
  }
}
