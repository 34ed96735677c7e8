import { createHash } from "node:crypto";
import { readdir, readFile, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseMountInfo } from "../../pkg/agent/host/mounts.ts";
import { runCommand } from "./run-command.ts";

/**
 * Leaves of a node what a machine has after its power was cut: the disk. Its processes, mounts, network namespaces,
 * control groups and what lay in /run are gone; nothing was told to stop.
 */
export async function powerOff(dataDir: string): Promise<void> {
  const hash = createHash("sha256").update(dataDir).digest("hex").slice(0, 12);
  const run = join("/run/mini8s", hash);
  const groups = await controlGroups(hash);
  const sockets = await shimSockets(run);
  const inContainers = await processesIn(groups);
  const networks = new Set(
    (await Promise.all(inContainers.map((pid) => inodeOf(`/proc/${pid}/ns/net`)))).filter(Boolean),
  );
  networks.delete(await inodeOf("/proc/self/ns/net"));
  const services = (await processes())
    .filter(({ line }) => line.includes(`${dataDir}/`) || line.includes(`${run}/`))
    .map(({ pid }) => pid);
  const all = [...services, ...inContainers];
  for (const pid of all) kill(pid);
  for (const pid of all) await gone(pid);
  for (const pid of await processesIn(groups)) {
    kill(pid);
    await gone(pid);
  }
  for (const name of await readdir("/run/netns").catch(() => [])) {
    const path = join("/run/netns", name);
    // An empty file is one that somebody else has unmounted already.
    if (!name.startsWith("cni-") || !networks.has(await inodeOf(path))) continue;
    await runCommand("umount", ["--lazy", path]);
    await rm(path, { force: true });
  }
  const mounts = parseMountInfo(await readFile("/proc/self/mountinfo", "utf8"))
    .map(({ path }) => path)
    .filter((path) => path.startsWith(`${run}/`) || path.startsWith(`${dataDir}/`))
    .reverse();
  if (mounts.length > 0) await runCommand("umount", ["--lazy", ...mounts]);
  await rm(run, { recursive: true, force: true });
  for (const socket of sockets) await rm(socket, { force: true });
  for (const group of groups.toReversed()) await rmdir(group).catch(() => {});
}

/** Of every hierarchy, parents first. */
async function controlGroups(hash: string): Promise<readonly string[]> {
  const { stdout } = await runCommand("find", [
    ...["/sys/fs/cgroup", "-type", "d", "-path", `*/mini8s/${hash}*`],
  ]);
  return stdout.split("\n").filter((line) => line !== "");
}

async function processesIn(groups: readonly string[]): Promise<readonly number[]> {
  const pids = new Set<number>();
  for (const group of groups) {
    const text = await readFile(join(group, "cgroup.procs"), "utf8").catch(() => "");
    for (const line of text.split("\n")) if (line !== "") pids.add(Number(line));
  }
  return [...pids];
}

async function processes(): Promise<readonly { readonly pid: number; readonly line: string }[]> {
  const found: { readonly pid: number; readonly line: string }[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const line = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    const program = line.split("\0")[0] ?? "";
    if (/(containerd|containerd-shim-runc-v2|mini8s)$/.test(program))
      found.push({ pid: Number(name), line: line.replaceAll("\0", " ") });
  }
  return found;
}

async function shimSockets(run: string): Promise<readonly string[]> {
  const { stdout } = await runCommand("find", [
    ...[join(run, "containerd"), "-maxdepth", "4", "-name", "address"],
  ]);
  const files = stdout.split("\n").filter((line) => line !== "");
  const addresses = await Promise.all(files.map((file) => readFile(file, "utf8")));
  return [...new Set(addresses.map((address) => address.trim().replace(/^unix:\/\//, "")))];
}

async function inodeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ ino }) => ino,
    () => 0,
  );
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
    // Who has not been waited for yet does nothing any more.
    if (state === undefined || /\) [ZX] /.test(state)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`process ${pid} does not end`);
}
