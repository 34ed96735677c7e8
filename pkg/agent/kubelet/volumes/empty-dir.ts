import { chmod, chown, mkdir, rename } from "node:fs/promises";
import { isThere } from "../../host/files.ts";
import { bytesOf } from "../resources.ts";
import type { VolumeKind } from "./volume.ts";

/** Whatever user a container runs as may write. */
const openMode = 0o777;
/** What is made in it belongs to the folder's group. */
const inheritGroup = 0o2000;

/**
 * A folder that lives as long as the pod: on the disk, or in memory with `medium: Memory`. Once it is there it is the
 * containers' own: its modes and owners are never touched again, as databases insist on theirs.
 */
export const emptyDirVolume: VolumeKind = {
  plugin: "kubernetes.io~empty-dir",
  handles: (volume) => volume.emptyDir !== undefined,
  async setUp({ pod, volume, folder, mounts }, signal) {
    const group = pod.spec.securityContext?.fsGroup;
    const mode = group === undefined ? openMode : openMode | inheritGroup;
    if (!(await isThere(folder))) {
      // Under another name until it is as it should be: who finds the folder finds it finished.
      const unfinished = `${folder}.new`;
      await mkdir(unfinished, { recursive: true });
      if (group !== undefined) await chown(unfinished, 0, group);
      await chmod(unfinished, mode);
      await rename(unfinished, folder);
    }
    if (volume.emptyDir?.medium === "Memory" && !(await isMounted(folder))) {
      const limit = bytesOf(volume.emptyDir.sizeLimit);
      const options = [
        `mode=${mode.toString(8)}`,
        ...(group === undefined ? [] : [`gid=${group}`]),
        ...(limit === 0 ? [] : [`size=${limit}`]),
      ];
      await mounts.mount({ type: "tmpfs", source: "tmpfs", target: folder, options }, signal);
    }
    return { path: folder, ownedByPod: false, readOnly: false };

    async function isMounted(path: string): Promise<boolean> {
      return (await mounts.list()).some((mount) => mount.path === path);
    }
  },
};
