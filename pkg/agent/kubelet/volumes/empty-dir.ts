import { chmod, mkdir } from "node:fs/promises";
import { bytesOf } from "../resources.ts";
import type { VolumeKind } from "./volume.ts";

/** A folder that lives as long as the pod: on the disk, or in memory with `medium: Memory`. */
export const emptyDirVolume: VolumeKind = {
  plugin: "kubernetes.io~empty-dir",
  handles: (volume) => volume.emptyDir !== undefined,
  async setUp({ volume, folder, mounts }, signal) {
    await mkdir(folder, { recursive: true });
    if (volume.emptyDir?.medium === "Memory" && !(await isMounted(folder))) {
      const limit = bytesOf(volume.emptyDir.sizeLimit);
      const options = limit === 0 ? [] : [`size=${limit}`];
      await mounts.mount({ type: "tmpfs", source: "tmpfs", target: folder, options }, signal);
    }
    // Whatever user a container runs as may write; the umask would not let `mkdir` say so.
    await chmod(folder, 0o777);
    return { path: folder, ownedByPod: true, readOnly: false };

    async function isMounted(path: string): Promise<boolean> {
      return (await mounts.list()).some((mount) => mount.path === path);
    }
  },
};
