import { readFileSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline/promises";
import { createHost } from "../pkg/agent/host/host.ts";
import { cniBinDir, podLogsDir } from "../pkg/agent/node.ts";
import { uninstallNode } from "../pkg/agent/uninstall/uninstall-node.ts";
import { systemClock } from "../pkg/base/clock.ts";
import { MendableError } from "../pkg/base/mendable-error.ts";
import { findRunning } from "./claim-data-dir.ts";
import type { FlagValues } from "./flags.ts";
import { UsageError } from "./usage-error.ts";

/** What mini8s may have put into a data-dir. Anything else in it is somebody else's. */
const entries = ["server", "bin", "mini8s.log", "mini8s.pid"];
const stopMs = 10_000;
const lookMs = 50;

/** `mini8s uninstall`: takes every trace of the instance with that data-dir off this machine. */
export async function runUninstallCommand(
  flags: FlagValues,
  yes: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { dataDir, writeKubeconfig } = flags;
  if (!yes) await ask(dataDir, signal);
  await stopRunning(dataDir, signal);
  await uninstallNode(
    {
      dataDir,
      containerRuntimeEndpoint: flags.containerRuntimeEndpoint,
      cniBinDir,
      podLogsDir,
      host: await createHost(systemClock),
      clock: systemClock,
      say,
    },
    signal,
  );
  removeKubeconfig(dataDir, writeKubeconfig);
  for (const entry of entries) rmSync(join(dataDir, entry), { recursive: true, force: true });
  if (removeIfEmpty(dataDir)) say(`nothing of the instance with the data-dir ${dataDir} is left`);
  else say(`nothing of mini8s is left; ${dataDir} is kept, because it holds something else`);
}

function say(text: string): void {
  console.log(`mini8s: ${text}`);
}

async function ask(dataDir: string, signal: AbortSignal): Promise<void> {
  if (!process.stdin.isTTY)
    throw new UsageError(
      `this removes the cluster in ${dataDir} with all its containers and data: say --yes to mean it`,
    );
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(
      `This removes the cluster in ${dataDir} with all its containers and data. Go on? [y/N] `,
      { signal },
    );
    if (!/^y(es)?$/i.test(answer.trim())) throw new MendableError("nothing was removed");
  } finally {
    terminal.close();
  }
}

async function stopRunning(dataDir: string, signal: AbortSignal): Promise<void> {
  const pid = findRunning(dataDir);
  if (pid === undefined) return;
  say(`stopping mini8s (process ${pid})`);
  process.kill(pid, "SIGTERM");
  const deadline = systemClock.monotonic() + stopMs;
  while (findRunning(dataDir) === pid) {
    if (systemClock.monotonic() > deadline) process.kill(pid, "SIGKILL");
    await systemClock.sleep(lookMs, signal);
  }
}

/** Only where it is this cluster's: the same file may by now lead to another one. */
function removeKubeconfig(dataDir: string, file: string): void {
  const authority = read(join(dataDir, "server", "tls", "server-ca.crt"));
  if (authority === "") return;
  if (!read(file).includes(Buffer.from(authority).toString("base64"))) return;
  rmSync(file);
  removeIfEmpty(dirname(file));
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** False where something is in it, or mounted on it. */
function removeIfEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (caught) {
    return (caught as NodeJS.ErrnoException).code === "ENOENT";
  }
}
