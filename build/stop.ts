/** Stops what `npm start` started; its containers go on. `npm stop [-- --data-dir DIRECTORY]`. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning, optionOf, pidFileOf } from "./running.ts";

const waitMs = 10_000;
const pidFile = pidFileOf(
  optionOf(process.argv.slice(2), ["--data-dir", "-d"]) ?? "/var/lib/mini8s",
);
const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;

if (!isRunning(pid)) console.log("mini8s: is not running");
else {
  process.kill(pid, "SIGTERM");
  const deadline = performance.now() + waitMs;
  while (isRunning(pid) && performance.now() < deadline) await sleep(50);
  if (isRunning(pid)) {
    console.error(
      `mini8s: process ${pid} has not stopped after ${waitMs / 1000} s: kill -9 ${pid} is safe`,
    );
    process.exitCode = 1;
  } else console.log("mini8s: stopped; its containers go on");
}
if (process.exitCode !== 1) rmSync(pidFile, { force: true });
