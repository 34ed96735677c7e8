/**
 * Builds dist/mini8s where the sources are newer, starts `mini8s server` in the background, waits until the node
 * is Ready and says what next. Safe to run again: a server that runs is left alone.
 * `npm start [-- flags of mini8s server]`.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findRunning } from "../cmd/claim-data-dir.ts";
import type { FlagValues } from "../cmd/flags.ts";
import { ownPauseImage } from "../pkg/agent/containerd/import-images.ts";
import { readFlags } from "./running.ts";

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
function progress({ writeKubeconfig, disableAgent }: FlagValues): string {
  if (!existsSync(writeKubeconfig)) return "making its keys and starting the API";
  const { status, stdout } = spawnSync(
    "kubectl",
    [
      ...["--kubeconfig", writeKubeconfig, "--request-timeout=2s"],
      ...(disableAgent ? ["get", "--raw", "/readyz"] : ["get", "nodes", "--no-headers"]),
    ],
    { encoding: "utf8" },
  );
  if (status !== 0) return "starting the API";
  if (disableAgent) return "Ready";
  if (stdout.trim() === "") return "registering the node";
  return /\sReady[\s,]/.test(stdout)
    ? "Ready"
    : "preparing the node: container runtime and network";
}

async function waitUntilReady(values: FlagValues, pid: number, log: string): Promise<void> {
  const deadline = performance.now() + waitMs;
  let shown = "";
  for (;;) {
    if (!existsSync(`/proc/${pid}`)) throw new Error(`it ended; ${log} says:\n${lastLines(log)}`);
    const state = findRunning(values.dataDir) === pid ? progress(values) : "starting";
    if (state === "Ready") return;
    if (state !== shown) say(state);
    shown = state;
    if (performance.now() > deadline) {
      throw new Error(`it is not Ready after ${waitMs / 1000} s; ${log} says:\n${lastLines(log)}`);
    }
    await sleep(100);
  }
}

/** In the background, its log in a file; returns its pid. */
function launch(flags: readonly string[], dataDir: string, log: string): number {
  mkdirSync(dataDir, { recursive: true });
  const output = openSync(log, "a");
  say(`starting: mini8s server ${flags.join(" ")}`.trimEnd());
  const child = spawn(executable, ["server", ...flags], {
    detached: true,
    stdio: ["ignore", output, output],
  });
  child.unref();
  if (child.pid === undefined) throw new Error(`${executable} cannot be started`);
  return child.pid;
}

async function main(): Promise<void> {
  const flags = process.argv.slice(2);
  const values = readFlags(flags);
  const { dataDir, writeKubeconfig } = values;
  const log = join(dataDir, "mini8s.log");
  const running = findRunning(dataDir);
  if (running === undefined) buildIfNeeded();
  else say(`runs already (process ${running})`);
  await waitUntilReady(values, running ?? launch(flags, dataDir, log), log);
  console.log(`
The ${values.disableAgent ? "API" : "node"} is Ready. The log is ${log}, the administrator's kubeconfig ${writeKubeconfig}:

  export KUBECONFIG=${writeKubeconfig}

Three commands to try; none of them needs a registry:

  kubectl get nodes -o wide
  kubectl create deployment quiet --image=${ownPauseImage} --replicas=3
  kubectl get pods -o wide --watch

Images are pulled, or taken from archives put into ${join(dataDir, "agent/images")}.
npm stop stops mini8s and leaves the containers running; npm run clean removes every trace.`);
}

try {
  await main();
} catch (thrown) {
  console.error(`mini8s: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  process.exitCode = 1;
}
