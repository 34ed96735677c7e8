/**
 * Builds dist/mini8s where the sources are newer, starts `mini8s server` in the background, waits until the node
 * is Ready and says what next. Safe to run again: a server that runs is left alone.
 * `npm start [-- flags of mini8s server]`.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning, optionOf, pidFileOf } from "./running.ts";

const root = join(import.meta.dirname, "..");
const executable = join(root, "dist", "mini8s");
const waitMs = 120_000;

function say(text: string): void {
  console.log(`mini8s: ${text}`);
}

function newestChangeMs(path: string): number {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newestChangeMs(join(path, name))));
}

function buildIfNeeded(): void {
  const sources = ["cmd", "pkg", "build", "package-lock.json"].map((name) => join(root, name));
  const changed = Math.max(...sources.map(newestChangeMs));
  if (existsSync(executable) && statSync(executable).mtimeMs >= changed) return;
  say("building dist/mini8s");
  const { status } = spawnSync(process.execPath, [join(root, "build/build.ts")], {
    stdio: "inherit",
  });
  if (status !== 0) throw new Error("the build failed: what it printed above says why");
}

function lastLines(file: string): string {
  return readFileSync(file, "utf8").trim().split("\n").slice(-5).join("\n");
}

/** "Ready", or how far it has come. */
function nodeState(kubeconfig: string): string {
  if (!existsSync(kubeconfig)) return "writing its keys";
  const { status, stdout } = spawnSync(
    "kubectl",
    ["--kubeconfig", kubeconfig, "--request-timeout=2s", "get", "nodes", "--no-headers"],
    { encoding: "utf8" },
  );
  if (status !== 0) return "starting the API";
  if (stdout.trim() === "") return "registering the node";
  return /\sReady[\s,]/.test(stdout)
    ? "Ready"
    : "preparing the node: container runtime and network";
}

async function waitUntilReady(kubeconfig: string, pid: number, log: string): Promise<void> {
  const deadline = performance.now() + waitMs;
  let shown = "";
  for (;;) {
    const state = nodeState(kubeconfig);
    if (state === "Ready") return;
    if (state !== shown) say(state);
    shown = state;
    if (!isRunning(pid))
      throw new Error(`mini8s ended; its last words, in ${log}:\n${lastLines(log)}`);
    if (performance.now() > deadline) {
      throw new Error(
        `the node is not Ready after ${waitMs / 1000} s; ${log} says:\n${lastLines(log)}`,
      );
    }
    await sleep(100);
  }
}

async function main(): Promise<void> {
  const flags = process.argv.slice(2);
  const dataDir = optionOf(flags, ["--data-dir", "-d"]) ?? "/var/lib/mini8s";
  const kubeconfig = optionOf(flags, ["--write-kubeconfig", "-o"]) ?? "/etc/mini8s/mini8s.yaml";
  const log = join(dataDir, "mini8s.log");
  buildIfNeeded();

  const pidFile = pidFileOf(dataDir);
  let pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
  if (isRunning(pid)) say(`runs already (process ${pid})`);
  else {
    mkdirSync(dataDir, { recursive: true });
    const output = openSync(log, "a");
    say(`starting: mini8s server ${flags.join(" ")}`.trimEnd());
    const child = spawn(executable, ["server", ...flags], {
      detached: true,
      stdio: ["ignore", output, output],
    });
    pid = child.pid ?? 0;
    child.unref();
    writeFileSync(pidFile, `${pid}\n`);
  }
  await waitUntilReady(kubeconfig, pid, log);
  console.log(`
The node is Ready. The log is ${log}, the administrator's kubeconfig ${kubeconfig}:

  export KUBECONFIG=${kubeconfig}

Three commands to try:

  kubectl get nodes -o wide
  kubectl get pods --all-namespaces
  kubectl create deployment web --image=<an image you have> && kubectl rollout status deployment/web

Images are pulled, or taken from archives put into ${join(dataDir, "agent/images")}.
npm stop stops mini8s and leaves the containers running; npm run clean removes every trace.`);
}

try {
  await main();
} catch (thrown) {
  console.error(`mini8s: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  process.exitCode = 1;
}
