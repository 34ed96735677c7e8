import { readdir, readFile } from "node:fs/promises";
import { parseMountInfo } from "../../pkg/agent/host/mounts.ts";
import { runCommand } from "./run-command.ts";

/** What a node may leave on a machine, each as sorted lines that do not change by themselves. */
export type MachineSnapshot = Readonly<Record<string, readonly string[]>>;

/** What is shared by all network namespaces of the machine. */
export async function snapshotMachine(): Promise<MachineSnapshot> {
  const names = async (folder: string) => (await readdir(folder).catch(() => [])).sort();
  const mounts = parseMountInfo(await readFile("/proc/self/mountinfo", "utf8"));
  return {
    mounts: mounts.map(({ path, filesystem }) => `${filesystem} ${path}`).sort(),
    cgroups: await lines("find", "/sys/fs/cgroup", "-type", "d", "-path", "*mini8s*"),
    namespaces: await names("/run/netns"),
    cni: await names("/var/lib/cni/results"),
    logs: await names("/var/log/pods"),
    run: await names("/run/mini8s"),
    shims: [...(await names("/run/containerd/s")), ...(await names("/run/containerd/runc/k8s.io"))],
    processes: (await lines("ps", "-eo", "pid,args")).filter((line) =>
      /^\d+ [^[\s]*\b(mini8s|containerd|containerd-shim[^\s]*)( |$)/.test(line),
    ),
  };
}

/** What each network namespace has of its own; undefined: the one that the test runs in. */
export async function snapshotNetwork(namespace: string | undefined): Promise<MachineSnapshot> {
  const inside = (...command: readonly string[]) =>
    namespace === undefined
      ? lines(...command)
      : lines("nsenter", `--net=/run/netns/${namespace}`, ...command);
  return {
    // Without what changes by itself.
    links: (await inside("ip", "-o", "link")).map((line) => line.replace(/ (qlen|state) \S+/g, "")),
    addresses: (await inside("ip", "-o", "addr")).filter((line) => !line.includes("inet6")),
    routes: await inside("ip", "route", "show", "table", "all", "type", "unicast"),
    nftables: await inside("nft", "list", "ruleset"),
    iptables: (await inside("iptables-save")).filter((line) => /^(-|:[^ ]+ -)/.test(line)),
  };
}

async function lines(...[command = "", ...args]: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await runCommand(command, args);
  return stdout
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .sort();
}
