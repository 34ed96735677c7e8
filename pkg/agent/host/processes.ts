import type { Clock } from "../../base/clock.ts";
import { readFileIfThere } from "./files.ts";

/** Processes that this one may not have started. */
export interface Processes {
  /** The command line; undefined where there is no such process, or it is a zombie. */
  commandLine(pid: number): Promise<readonly string[] | undefined>;
  /** Sends a signal; a process that is gone is no error. */
  signal(pid: number, name: "SIGTERM" | "SIGKILL"): void;
  /** Resolves once there is no such process. */
  ended(pid: number, signal: AbortSignal): Promise<void>;
}

/** How often a process that is not our child is looked for: nothing tells of its end. */
const lookMs = 1_000;

export function createProcesses(clock: Clock): Processes {
  const commandLine = async (pid: number) => {
    const text = await readFileIfThere(`/proc/${pid}/cmdline`);
    return text === undefined || text === "" ? undefined : text.split("\0").slice(0, -1);
  };
  return {
    commandLine,
    signal(pid, name) {
      try {
        process.kill(pid, name);
      } catch (caught) {
        if (!(caught instanceof Error && "code" in caught && caught.code === "ESRCH")) throw caught;
      }
    },
    async ended(pid, signal) {
      while ((await commandLine(pid)) !== undefined) await clock.sleep(lookMs, signal);
    },
  };
}
