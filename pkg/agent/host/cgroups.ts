import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isErrno, isThere, readFileIfThere } from "./files.ts";
import type { MountPoint } from "./mounts.ts";

/** Limits of a group of processes, in the units of cgroup v1. Undefined: as the parent. */
export interface CgroupLimits {
  readonly cpuShares?: number;
  /** Microseconds in each {@link cpuPeriodMicroseconds}. */
  readonly cpuQuotaMicroseconds?: number;
  readonly memoryBytes?: number;
  readonly pids?: number;
}

export const cpuPeriodMicroseconds = 100_000;

/** The control groups of this machine, in all hierarchies at once. Paths start with "/". */
export interface Cgroups {
  readonly version: 1 | 2;
  /** Makes the group where it is missing and sets its limits; doing it twice changes nothing. */
  ensure(path: string, limits: CgroupLimits): Promise<void>;
  /** Removes the group and all below it in every hierarchy. Groups that still hold processes are left: false. */
  remove(path: string): Promise<boolean>;
  /** The processes in the group and all below it, in any hierarchy. */
  processes(path: string): Promise<readonly number[]>;
  /** The names of the groups right below `path`, in any hierarchy. */
  children(path: string): Promise<readonly string[]>;
}

interface Hierarchy {
  readonly root: string;
  /** v1: the controllers; v2: undefined. */
  readonly controllers: readonly string[] | undefined;
}

/** Finds out from the mount table whether the controllers are on v1 (also hybrid) or on v2. */
export function createCgroups(mounts: readonly MountPoint[]): Cgroups {
  const hierarchies = findHierarchies(mounts);
  const version = hierarchies.some((hierarchy) => hierarchy.controllers?.includes("memory"))
    ? 1
    : 2;
  // On a hybrid machine the v2 hierarchy holds no controllers, but runc puts processes there, too.
  const limited = hierarchies.filter(
    (hierarchy) => (hierarchy.controllers === undefined) === (version === 2),
  );
  return {
    version,
    async ensure(path, limits) {
      for (const hierarchy of limited) {
        if (hierarchy.controllers === undefined) await delegateControllers(hierarchy.root, path);
        const folder = join(hierarchy.root, path);
        await mkdir(folder, { recursive: true });
        if (hierarchy.controllers?.includes("cpuset")) await inheritCpuset(hierarchy.root, path);
        for (const [file, value] of limitFiles(hierarchy, limits)) {
          await writeFile(join(folder, file), value).catch((cause: unknown) => {
            throw new Error(
              `cannot set ${file} of the control group ${path}: is its controller enabled on this machine?`,
              { cause },
            );
          });
        }
      }
    },
    async remove(path) {
      const outcomes = await Promise.all(
        hierarchies.map((hierarchy) => removeTree(join(hierarchy.root, path))),
      );
      return outcomes.every((gone) => gone);
    },
    async processes(path) {
      const found = await Promise.all(
        hierarchies.map((hierarchy) => processesBelow(join(hierarchy.root, path))),
      );
      return [...new Set(found.flat())];
    },
    async children(path) {
      const names = new Set<string>();
      for (const hierarchy of hierarchies) {
        for (const entry of await foldersIn(join(hierarchy.root, path))) names.add(entry);
      }
      return [...names];
    },
  };
}

function findHierarchies(mounts: readonly MountPoint[]): readonly Hierarchy[] {
  const found: Hierarchy[] = [];
  const seen = new Set<string>();
  for (const mount of mounts) {
    if (seen.has(mount.path)) continue;
    if (mount.filesystem === "cgroup") {
      found.push({ root: mount.path, controllers: mount.superOptions });
      seen.add(mount.path);
    } else if (mount.filesystem === "cgroup2") {
      found.push({ root: mount.path, controllers: undefined });
      seen.add(mount.path);
    }
  }
  return found;
}

function limitFiles(hierarchy: Hierarchy, limits: CgroupLimits): readonly [string, string][] {
  const files: [string, string][] = [];
  const { cpuShares, cpuQuotaMicroseconds, memoryBytes, pids } = limits;
  if (hierarchy.controllers === undefined) {
    if (cpuShares !== undefined) files.push(["cpu.weight", String(cpuWeight(cpuShares))]);
    if (cpuQuotaMicroseconds !== undefined)
      files.push(["cpu.max", `${cpuQuotaMicroseconds} ${cpuPeriodMicroseconds}`]);
    if (memoryBytes !== undefined) files.push(["memory.max", String(memoryBytes)]);
    if (pids !== undefined) files.push(["pids.max", String(pids)]);
    return files;
  }
  const has = (controller: string) => hierarchy.controllers?.includes(controller) === true;
  if (has("cpu") && cpuShares !== undefined) files.push(["cpu.shares", String(cpuShares)]);
  if (has("cpu") && cpuQuotaMicroseconds !== undefined) {
    files.push(["cpu.cfs_period_us", String(cpuPeriodMicroseconds)]);
    files.push(["cpu.cfs_quota_us", String(cpuQuotaMicroseconds)]);
  }
  if (has("memory") && memoryBytes !== undefined)
    files.push(["memory.limit_in_bytes", String(memoryBytes)]);
  if (has("pids") && pids !== undefined) files.push(["pids.max", String(pids)]);
  return files;
}

/** v1's 2…262144 shares as v2's 1…10000 weight, with the formula that runc and Kubernetes use. */
export function cpuWeight(shares: number): number {
  return 1 + Math.floor(((Math.max(2, Math.min(262_144, shares)) - 2) * 9999) / 262_142);
}

/** A v2 group has only those controllers that each of its ancestors hands down. */
async function delegateControllers(root: string, path: string): Promise<void> {
  const parts = path.split("/").filter((part) => part !== "");
  for (let depth = 0; depth < parts.length; depth += 1) {
    const folder = join(root, ...parts.slice(0, depth));
    await mkdir(folder, { recursive: true });
    const available = (await readFile(join(folder, "cgroup.controllers"), "utf8")).trim();
    const wanted = available.split(" ").filter((name) => name !== "");
    if (wanted.length === 0) continue;
    // One by one: one that cannot be handed down, as cpu beside real-time processes, keeps back no other.
    for (const name of wanted) {
      await writeFile(join(folder, "cgroup.subtree_control"), `+${name}`).catch(() => {});
    }
  }
}

/** A new v1 cpuset is empty, and no process can enter an empty one. */
async function inheritCpuset(root: string, path: string): Promise<void> {
  const parts = path.split("/").filter((part) => part !== "");
  for (let depth = 1; depth <= parts.length; depth += 1) {
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      const own = join(root, ...parts.slice(0, depth), file);
      if ((await readFile(own, "utf8")).trim() !== "") continue;
      await writeFile(own, await readFile(join(root, ...parts.slice(0, depth - 1), file), "utf8"));
    }
  }
}

async function removeTree(folder: string): Promise<boolean> {
  if (!(await isThere(folder))) return true;
  let gone = true;
  for (const child of await foldersIn(folder)) {
    if (!(await removeTree(join(folder, child)))) gone = false;
  }
  try {
    await rmdir(folder);
    return gone;
  } catch (caught) {
    if (isErrno(caught, "ENOENT")) return gone;
    if (isErrno(caught, "EBUSY", "ENOTEMPTY")) return false;
    throw caught;
  }
}

async function processesBelow(folder: string): Promise<readonly number[]> {
  const own = (await readFileIfThere(join(folder, "cgroup.procs"))) ?? "";
  const below = await Promise.all(
    (await foldersIn(folder)).map((child) => processesBelow(join(folder, child))),
  );
  return [
    ...own
      .split("\n")
      .filter((line) => line !== "")
      .map(Number),
    ...below.flat(),
  ];
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (caught) {
    if (isErrno(caught, "ENOENT")) return [];
    throw caught;
  }
}
