import { writeDirectoryAtomically } from "../../host/atomic-directory.ts";
import { secretFiles } from "./payload.ts";
import { VolumeError, type VolumeKind } from "./volume.ts";

/** The keys of a Secret as files in memory, which follow its changes. */
export const secretVolume: VolumeKind = {
  plugin: "kubernetes.io~secret",
  handles: (volume) => volume.secret !== undefined,
  async setUp({ volume, memoryFolder, secret }) {
    const { secretName = "", items, defaultMode, optional = false } = volume.secret ?? {};
    const found = secret(secretName);
    if (found === undefined && !optional) throw new VolumeError(`secret "${secretName}" not found`);
    const files = found === undefined ? [] : secretFiles(found, items, defaultMode, optional);
    await writeDirectoryAtomically(memoryFolder, files);
    return { path: memoryFolder, ownedByPod: true, readOnly: true };
  },
};
