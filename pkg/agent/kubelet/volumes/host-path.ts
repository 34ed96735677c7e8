import type { Stats } from "node:fs";
import { mkdir as makeFolder, stat, writeFile } from "node:fs/promises";
import type { HostPathVolumeSource } from "../../../api/generated/core-v1.generated.ts";
import { isErrno } from "../../host/files.ts";
import { VolumeError, type VolumeKind } from "./volume.ts";

/** A file or folder of the machine itself. */
export const hostPathVolume: VolumeKind = {
  plugin: "kubernetes.io~host-path",
  handles: (volume) => volume.hostPath !== undefined,
  async setUp({ volume }) {
    const { path = "", type = "" } = volume.hostPath ?? {};
    await check(path, type);
    return { path, ownedByPod: false, readOnly: false };
  },
};

const tests: Readonly<
  Record<
    Exclude<NonNullable<HostPathVolumeSource["type"]>, "">,
    readonly [(found: Stats) => boolean, string]
  >
> = {
  Directory: [(found) => found.isDirectory(), "a directory"],
  DirectoryOrCreate: [(found) => found.isDirectory(), "a directory"],
  File: [(found) => found.isFile(), "a file"],
  FileOrCreate: [(found) => found.isFile(), "a file"],
  Socket: [(found) => found.isSocket(), "a socket file"],
  CharDevice: [(found) => found.isCharacterDevice(), "a character device"],
  BlockDevice: [(found) => found.isBlockDevice(), "a block device"],
};

async function check(path: string, type: HostPathVolumeSource["type"] & string): Promise<void> {
  const found = await look(path);
  if (type === "") {
    // The runtime makes a missing folder, as it always did.
    if (found === undefined) await makeFolder(path, { recursive: true, mode: 0o755 });
    return;
  }
  if (found === undefined && type === "DirectoryOrCreate") {
    await makeFolder(path, { recursive: true, mode: 0o755 });
    return;
  }
  if (found === undefined && type === "FileOrCreate") {
    await writeFile(path, "", { mode: 0o644 });
    return;
  }
  const [matches, what] = tests[type];
  if (found === undefined || !matches(found))
    throw new VolumeError(`hostPath type check failed: ${path} is not ${what}`);
}

async function look(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (caught) {
    if (isErrno(caught, "ENOENT")) return undefined;
    throw caught;
  }
}
