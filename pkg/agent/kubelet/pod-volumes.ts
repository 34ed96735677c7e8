import { chmod, lchown, lstat, mkdir, readdir, realpath, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Container, Pod, Volume, VolumeMount } from "../../api/generated/core-v1.generated.ts";
import { isErrno } from "../host/files.ts";
import type { Mounts } from "../host/mounts.ts";
import { ContainerConfigError, expand } from "./environment.ts";
import { volumeKinds } from "./volumes/catalog.ts";
import { type VolumeContext, VolumeError, type VolumeOutcome } from "./volumes/volume.ts";

/** Where pods keep what is theirs on this machine. */
export interface PodFolders {
  /** On the disk. */
  readonly disk: string;
  /** In memory; gone after a reboot. */
  readonly memory: string;
}

export type VolumeServices = Omit<
  VolumeContext,
  "pod" | "volume" | "folder" | "memoryFolder" | "fields"
>;

export interface CriMount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readonly: boolean;
  /** CRI's MountPropagation. */
  readonly propagation: 0 | 1 | 2;
}

class VolumeSetUpError extends Error {
  override readonly name = "VolumeSetUpError";
}

/** Sets up every volume of the pod, or brings it up to date. Rejects with what a FailedMount event says. */
export async function setUpVolumes(
  pod: Pod,
  folders: PodFolders,
  services: VolumeServices,
  fields: VolumeContext["fields"],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, VolumeOutcome>> {
  const outcomes = new Map<string, VolumeOutcome>();
  for (const volume of pod.spec.volumes ?? []) {
    try {
      const kind = volumeKinds.find((candidate) => candidate.handles(volume));
      if (kind === undefined)
        throw new VolumeError(`volumes of type ${typeOf(volume)} are not supported by this node`);
      const place = join("volumes", kind.plugin, volume.name);
      const folder = join(folders.disk, pod.metadata.uid, place);
      const memoryFolder = join(folders.memory, pod.metadata.uid, place);
      await mkdir(dirname(folder), { recursive: true, mode: 0o750 });
      const outcome = await kind.setUp(
        { ...services, pod, volume, folder, memoryFolder, fields },
        signal,
      );
      const group = pod.spec.securityContext?.fsGroup;
      if (outcome.ownedByPod && group !== undefined)
        await giveToGroup(outcome.path, group, outcome.readOnly);
      outcomes.set(volume.name, outcome);
    } catch (caught) {
      signal.throwIfAborted();
      const why = caught instanceof Error ? caught.message : String(caught);
      throw new VolumeSetUpError(`MountVolume.SetUp failed for volume "${volume.name}" : ${why}`, {
        cause: caught,
      });
    }
  }
  return outcomes;
}

function typeOf(volume: Volume): string {
  return Object.keys(volume).find((key) => key !== "name") ?? "unknown";
}

/** The mounts of a container: what it names, at its path, read-only where the volume is. */
export async function volumeMounts(
  container: Container,
  volumes: ReadonlyMap<string, VolumeOutcome>,
  environment: ReadonlyMap<string, string>,
): Promise<readonly CriMount[]> {
  const mounts: CriMount[] = [];
  for (const mount of container.volumeMounts ?? []) {
    const volume = volumes.get(mount.name);
    if (volume === undefined)
      throw new ContainerConfigError(
        `cannot find volume "${mount.name}" to mount into container "${container.name}"`,
      );
    const subPath = subPathOf(mount, environment);
    const path = mount.mountPath;
    mounts.push({
      containerPath: path.startsWith("/") ? path : `/${path}`,
      hostPath: subPath === "" ? volume.path : await resolveSubPath(volume, subPath, mount),
      readonly: mount.readOnly === true || volume.readOnly,
      propagation: propagationOf(mount),
    });
  }
  return mounts;
}

function propagationOf({ mountPropagation }: VolumeMount): 0 | 1 | 2 {
  switch (mountPropagation) {
    case "HostToContainer":
      return 1;
    case "Bidirectional":
      return 2;
    default:
      return 0;
  }
}

function subPathOf(mount: VolumeMount, environment: ReadonlyMap<string, string>): string {
  const { subPath = "", subPathExpr = "" } = mount;
  if (subPathExpr === "") return subPath;
  return expand(subPathExpr, (name) => {
    const value = environment.get(name);
    if (value === undefined)
      throw new ContainerConfigError(`missing value for "${name}" in subPathExpr`);
    return value;
  });
}

/** The place below the volume, made where it is missing; a link that leads out of the volume is refused. */
async function resolveSubPath(
  volume: VolumeOutcome,
  subPath: string,
  mount: VolumeMount,
): Promise<string> {
  if (subPath.startsWith("/") || subPath.split("/").includes(".."))
    throw new ContainerConfigError(
      `failed to prepare subPath for volumeMount "${mount.name}": "${subPath}" must be a relative path without ".."`,
    );
  const path = join(volume.path, subPath);
  const root = await realpath(volume.path);
  let resolved: string;
  try {
    resolved = await realpath(path);
  } catch (caught) {
    if (!isErrno(caught, "ENOENT") || volume.readOnly)
      throw new ContainerConfigError(
        `failed to prepare subPath for volumeMount "${mount.name}" of container`,
        { cause: caught },
      );
    await mkdir(path, { recursive: true, mode: 0o750 });
    await chmod(path, (await lstat(root)).mode & 0o7777);
    resolved = await realpath(path);
  }
  if (resolved !== root && !resolved.startsWith(`${root}/`))
    throw new ContainerConfigError(
      `failed to prepare subPath for volumeMount "${mount.name}": it leads out of the volume`,
    );
  return resolved;
}

/** As upstream's fsGroup: the group may read, and write where the volume may be written; new files inherit it. */
async function giveToGroup(path: string, group: number, readOnly: boolean): Promise<void> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) {
    await lchown(path, found.uid, group);
    return;
  }
  const bits = readOnly ? 0o440 : 0o660;
  const mode = (found.mode & 0o7777) | bits | (found.isDirectory() ? 0o2110 : 0);
  if (found.gid !== group) await lchown(path, found.uid, group);
  if ((found.mode & 0o7777) !== mode) await chmod(path, mode);
  if (!found.isDirectory()) return;
  for (const entry of await readdir(path)) await giveToGroup(join(path, entry), group, readOnly);
}

/** Takes away all that a pod had on this machine: its mounts first, so that nothing behind one is deleted. */
export async function releasePodFolders(
  uid: string,
  folders: PodFolders,
  mounts: Mounts,
  signal: AbortSignal,
): Promise<void> {
  for (const folder of [join(folders.disk, uid), join(folders.memory, uid)]) {
    await mounts.unmountBelow(folder, signal);
    await rm(folder, { recursive: true, force: true });
  }
}
