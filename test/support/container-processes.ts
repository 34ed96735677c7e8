import { readFile } from "node:fs/promises";
import { runCommand } from "./run-command.ts";

/** The processes of a container as the machine sees them. `containerId` is `containerd://…`, as a pod's status has it. */
export async function containerProcesses(containerId: string): Promise<readonly number[]> {
  const id = containerId.replace(/^containerd:\/\//, "");
  const { stdout } = await runCommand("find", [
    ...["/sys/fs/cgroup", "-path", `*${id}*`, "-name", "cgroup.procs"],
  ]);
  const pids = new Set<number>();
  for (const file of stdout.split("\n").filter((line) => line !== "")) {
    const text = await readFile(file, "utf8").catch(() => "");
    for (const line of text.split("\n")) if (line !== "") pids.add(Number(line));
  }
  return [...pids];
}

/** Kills what runs in a container behind the back of everybody who looks after it. */
export async function killContainer(containerId: string): Promise<void> {
  const pids = await containerProcesses(containerId);
  if (pids.length === 0) throw new Error(`nothing runs in ${containerId}`);
  for (const pid of pids) process.kill(pid, "SIGKILL");
}
