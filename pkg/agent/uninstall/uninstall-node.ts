import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { runAll } from "../../base/service.ts";
import { createContainerd } from "../containerd/containerd.ts";
import { ownPauseImage } from "../containerd/import-images.ts";
import { type ContainerdPaths, containerdPaths } from "../containerd/paths.ts";
import { connectRpc } from "../cri/connect.ts";
import { createRuntimeService } from "../cri/runtime.ts";
import { isErrno, isThere, readFileIfThere } from "../host/files.ts";
import type { Host } from "../host/host.ts";
import { capSysResource } from "../host/machine.ts";
import { mountsBelow } from "../host/mounts.ts";
import { instanceOf, instancesCgroup, instancesFolder } from "../instance.ts";
import { findCniTraces, removeCniTraces } from "./cni-traces.ts";
import { endAll } from "./end-all.ts";
import { removeNetwork } from "./remove-network.ts";
import { removePods } from "./remove-pods.ts";
import { removeShimLeftovers } from "./shim-leftovers.ts";

export interface UninstallNodeDeps {
  readonly dataDir: string;
  /** As it was given to the node; undefined: the node's own containerd. */
  readonly containerRuntimeEndpoint: string | undefined;
  readonly cniBinDir: string;
  readonly podLogsDir: string;
  readonly host: Host;
  readonly clock: Clock;
  /** Told what is being done. */
  say(text: string): void;
}

const containerdStartMs = 30_000;

/**
 * Takes away all that a node left on this machine, whether its mini8s and containerd still run, were killed, or the
 * machine was started anew since. Nothing that another instance or another program made is touched. The data-dir's
 * `agent` folder goes last, so that what failed half-way can be done again.
 */
export async function uninstallNode(deps: UninstallNodeDeps, signal: AbortSignal): Promise<void> {
  const { dataDir, host, clock } = deps;
  const { commands, mounts, cgroups, processes } = host;
  const agentFolder = join(dataDir, "agent");
  const paths = containerdPaths(dataDir);
  const instance = instanceOf(dataDir);
  const traces = await findCniTraces(join(agentFolder, "cni", "networks"));
  const uids = new Set(await namesIn(join(agentFolder, "pods")));

  const removed =
    deps.containerRuntimeEndpoint === undefined
      ? await removeOwnPods(deps, paths, signal)
      : await removePodsOn(deps.containerRuntimeEndpoint, (uid) => uids.has(uid), signal);
  for (const uid of removed) uids.add(uid);

  const ids = await containerIds(paths);
  await endAll(processes, clock, signal, async () => [
    ...belongingTo(await processes.list(), paths),
    ...(await cgroups.processes(instance.cgroup)),
  ]);
  for (const folder of [instance.runFolder, agentFolder]) {
    await mounts.unmountBelow(folder, signal);
    const left = mountsBelow(await mounts.list(), folder);
    if (left.length > 0)
      throw new Error(
        `${left[0]} cannot be unmounted: find out what uses it with fuser, and run this again`,
      );
  }
  await removeCniTraces(commands, traces);
  await removeShimLeftovers(paths.socket, ids);
  await removeNetwork(commands, await podCidrOf(paths.cniConfDir));
  if (!(await cgroups.remove(instance.cgroup)))
    throw new Error(
      `the control group ${instance.cgroup} still holds processes: end them, and run this again`,
    );
  if ((await cgroups.children(instancesCgroup)).length === 0) await cgroups.remove(instancesCgroup);
  for (const folder of await namesIn(deps.podLogsDir)) {
    if (uids.has(folder.split("_").at(-1) ?? ""))
      await rm(join(deps.podLogsDir, folder), { recursive: true, force: true });
  }
  await rm(instance.runFolder, { recursive: true, force: true });
  await removeIfEmpty(instancesFolder);
  await rm(agentFolder, { recursive: true, force: true });
}

/** What the runtime still knows of, or runs: sandboxes and containers. */
async function containerIds(paths: ContainerdPaths): Promise<readonly string[]> {
  const folders = [
    join(paths.state, "io.containerd.runtime.v2.task", "k8s.io"),
    join(paths.root, "io.containerd.grpc.v1.cri", "sandboxes"),
    join(paths.root, "io.containerd.grpc.v1.cri", "containers"),
  ];
  return [...new Set((await Promise.all(folders.map(namesIn))).flat())];
}

/** By way of the runtime, so that CNI takes back addresses and port rules. Returns the pods' uids. */
async function removeOwnPods(
  deps: UninstallNodeDeps,
  paths: ContainerdPaths,
  signal: AbortSignal,
): Promise<readonly string[]> {
  // Without its state there has been no sandbox since the machine started.
  if (!(await isThere(paths.state))) return [];
  const { host, clock } = deps;
  const { commands, processes, machine } = host;
  const containerd = createContainerd({
    paths,
    config: {
      pauseImage: ownPauseImage,
      cniBinDir: deps.cniBinDir,
      restrictOomScoreAdj: !(await machine.hasCapability(capSysResource)),
      snapshotter: "overlayfs",
    },
    commands,
    processes,
    clock,
    logger: silentLogger,
  });
  const stop = new AbortController();
  const running = runAll([containerd], stop.signal);
  running.catch(() => {});
  let removed: readonly string[] = [];
  try {
    const soon = AbortSignal.any([signal, AbortSignal.timeout(containerdStartMs)]);
    await containerd.ready(soon);
    removed = await removePodsOn(paths.socket, () => true, signal, deps.say);
  } catch (caught) {
    signal.throwIfAborted();
    const why = caught instanceof Error ? caught.message : String(caught);
    deps.say(`containerd cannot help (${why}); its pods are taken away without it`);
  }
  stop.abort();
  await running.catch(() => {});
  return removed;
}

async function removePodsOn(
  endpoint: string,
  isOurs: (uid: string) => boolean,
  signal: AbortSignal,
  say: (text: string) => void = () => {},
): Promise<readonly string[]> {
  using connection = connectRpc(endpoint);
  return await removePods(createRuntimeService(connection), isOurs, say, signal);
}

/** Our containerd, and its shims with all that they started. */
function belongingTo(
  all: Awaited<ReturnType<Host["processes"]["list"]>>,
  paths: ContainerdPaths,
): readonly number[] {
  const ours = new Set(
    all
      .filter(({ commandLine }) => {
        const program = commandLine[0]?.split("/").at(-1) ?? "";
        const asDaemon = program === "containerd" && commandLine.includes(paths.configFile);
        return (
          asDaemon || (program.startsWith("containerd-shim") && commandLine.includes(paths.socket))
        );
      })
      .map(({ pid }) => pid),
  );
  for (let before = -1; before !== ours.size; ) {
    before = ours.size;
    for (const { pid, parent } of all) if (ours.has(parent)) ours.add(pid);
  }
  return [...ours];
}

/** The range that this node's pods had, as CNI was told it. */
async function podCidrOf(cniConfDir: string): Promise<string | undefined> {
  const text = (await readFileIfThere(join(cniConfDir, "10-mini8s.conflist"))) ?? "";
  return /"subnet": "([0-9./]+)"/.exec(text)?.[1];
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (caught) {
    if (isErrno(caught, "ENOENT", "ENOTDIR")) return [];
    throw caught;
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (caught) {
    if (!isErrno(caught, "ENOENT", "ENOTEMPTY", "EBUSY")) throw caught;
  }
}
