import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "./usage-error.ts";

/** Where a running mini8s is noted: its pid, and when it started, because pids come again. */
export function pidFileOf(dataDir: string): string {
  return join(dataDir, "mini8s.pid");
}

/** The pid of the mini8s that runs on a data-dir; undefined where none does. */
export function findRunning(dataDir: string): number | undefined {
  const [pid, started] = readText(pidFileOf(dataDir)).trim().split(" ");
  if (pid === undefined || !/^\d+$/.test(pid) || started === undefined) return undefined;
  return startOf(Number(pid)) === started ? Number(pid) : undefined;
}

/**
 * Makes the data-dir this process's own until the claim is disposed of: two on one data-dir would fight over
 * containers and files. A mini8s that was killed leaves a note that no longer holds.
 */
export function claimDataDir(dataDir: string): Disposable {
  const file = pidFileOf(dataDir);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o755 });
    accessSync(dataDir, constants.W_OK);
    const other = findRunning(dataDir);
    if (other !== undefined && other !== process.pid) {
      throw new UsageError(
        `the data-dir ${dataDir} is used by another mini8s (process ${other}): stop that one, or name another directory with --data-dir`,
      );
    }
    writeFileSync(file, `${process.pid} ${startOf(process.pid)}\n`);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(
      `the data-dir ${dataDir} cannot be written (${why}): name another directory with --data-dir`,
      { cause },
    );
  }
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}

/** When a process started, in clock ticks since boot; undefined where it is gone. */
function startOf(pid: number): string | undefined {
  // The second field is a name in brackets that may hold anything.
  const [state, ...rest] = readText(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
  return state === "Z" ? undefined : rest[18];
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
