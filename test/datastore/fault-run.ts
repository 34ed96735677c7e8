import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const writer = new URL("./fault-writer.ts", import.meta.url).pathname;

export interface FaultRun {
  /** Each line of the writer, as it is said. */
  readonly lines: readonly string[];
  /** The turns that were acknowledged. */
  readonly written: readonly number[];
  readonly refused: readonly { readonly turn: number; readonly reason: string }[];
}

export interface FaultRunOptions {
  /** What the writer is started by: a tracer that makes calls fail, a namespace with a small disk. */
  readonly under?: readonly string[];
  readonly file: string;
  readonly valueBytes?: number;
  readonly fileBytesMax?: number;
  /** Called after each line; once it says so, everything is killed. */
  readonly isEnough: (run: FaultRun) => boolean | Promise<boolean>;
}

/** Runs the writer of `fault-writer.ts` until it has said enough, and kills it with whatever it was started by. */
export async function runWithFaults(options: FaultRunOptions): Promise<FaultRun> {
  const { under = [], file, valueBytes = 100, fileBytesMax = 2 ** 30, isEnough } = options;
  const [command = "", ...args] = [
    ...[...under, process.execPath, writer, file, String(valueBytes), String(fileBytesMax)],
  ];
  // Detached: it and what it starts are one group, and die together.
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const errors: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
  const gone = new Promise((resolve) => child.once("close", resolve));
  const lines: string[] = [];
  const written: number[] = [];
  const refused: { turn: number; reason: string }[] = [];
  const run = { lines, written, refused };
  let enough = false;
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    const [what, turn, reason = ""] = line.split(" ");
    if (what === "written") written.push(Number(turn));
    if (what === "refused") refused.push({ turn: Number(turn), reason });
    if (!enough && (await isEnough(run))) {
      enough = true;
      process.kill(-(child.pid ?? 0), "SIGKILL");
    }
  }
  await gone;
  if (!enough) throw new Error(`the writer ended by itself: ${errors.join("").slice(-1_000)}`);
  return run;
}

/** Makes some calls on a store's files fail: `what` is strace's, "fsync:error=EIO:when=40+". */
export function failing(file: string, what: string): readonly string[] {
  const call = what.slice(0, what.indexOf(":"));
  return [
    ...["strace", "-f", "-o", "/dev/null", "-P", file, "-P", `${file}-wal`],
    ...["-e", `trace=${call}`, "-e", `inject=${what}`],
  ];
}

/** What the writer's key holds, by the reads that follow each of its writes. */
export function readsIn({ lines }: FaultRun): readonly number[] {
  return lines.filter((line) => line.startsWith("reads")).map((line) => Number(line.split(" ")[1]));
}
