/** Stops the mini8s of a data-dir; its containers go on. `npm stop [-- --data-dir DIRECTORY]`. */
import { setTimeout as sleep } from "node:timers/promises";
import { findRunning } from "../cmd/claim-data-dir.ts";
import { readFlags } from "./running.ts";

const waitMs = 10_000;

async function main(): Promise<void> {
  const { dataDir } = readFlags(process.argv.slice(2));
  const pid = findRunning(dataDir);
  if (pid === undefined) {
    console.log("mini8s: is not running");
    return;
  }
  process.kill(pid, "SIGTERM");
  const deadline = performance.now() + waitMs;
  while (findRunning(dataDir) === pid) {
    if (performance.now() > deadline)
      throw new Error(
        `process ${pid} has not stopped after ${waitMs / 1000} s: kill -9 ${pid} is safe`,
      );
    await sleep(50);
  }
  console.log("mini8s: stopped; its containers go on");
}

try {
  await main();
} catch (thrown) {
  console.error(`mini8s: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  process.exitCode = 1;
}
