import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Where `npm start` notes the process it started. */
export function pidFileOf(dataDir: string): string {
  return join(dataDir, "mini8s.pid");
}

/** True where that process is a live mini8s: a number alone may by now be somebody else's. */
export function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    const [program = ""] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return program.endsWith("mini8s");
  } catch {
    return false;
  }
}

/** The value of a flag in `--name value` or `--name=value` form. */
export function optionOf(flags: readonly string[], names: readonly string[]): string | undefined {
  for (const [index, flag] of flags.entries()) {
    if (names.includes(flag)) return flags[index + 1];
    const name = names.find((candidate) => flag.startsWith(`${candidate}=`));
    if (name !== undefined) return flag.slice(name.length + 1);
  }
  return undefined;
}
