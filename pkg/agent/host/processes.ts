import { readdir } from "node:fs/promises";
import type { Clock } from "../../base/clock.ts";
import { isErrno, readFileIfThere } from "./files.ts";

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly commandLine: readonly string[];
}

/** Processes that this one may not have started. */
export interface Processes {
  /** The command line; undefined where there is no such process, or it is a zombie. */
  commandLine(pid: number): Promise<readonly string[] | undefined>;
  /** Sends a signal; a process that is gone is no error. */
  signal(pid: number, name: "SIGTERM" | "SIGKILL"): void;
  /** Resolves once there is no such process. */
  ended(pid: number, signal: AbortSignal): Promise<void>;
  /** Every live process of the machine. */
  list(): Promise<readonly ProcessEntry[]>;
}

/** How often a process that is not our child is looked for: nothing tells of its end. */
const lookMs = 1_000;

export function createProcesses(clock: Clock): Processes {
  const commandLine = async (pid: number) => {
    const text = await readFileIfThere(`/proc/${pid}/cmdline`).catch(ignoreGone);
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
    async list() {
      const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
      const entries = await Promise.all(
        names.map(async (name) => {
          const [line, status] = await Promise.all([
            commandLine(Number(name)),
            readFileIfThere(`/proc/${name}/status`).catch(ignoreGone),
          ]);
          if (line === undefined || status === undefined) return [];
          const parent = Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1] ?? 0);
          return [{ pid: Number(name), parent, commandLine: line }];
        }),
      );
      return entries.flat();
    },
  };
}

/** A process may end between the opening of its file and the reading. */
function ignoreGone(caught: unknown): undefined {
  if (!isErrno(caught, "ESRCH")) throw caught;
}
