import { writeDirectoryAtomically } from "../../host/atomic-directory.ts";
import { configMapFiles } from "./payload.ts";
import { VolumeError, type VolumeKind } from "./volume.ts";

/** The keys of a ConfigMap as files, which follow its changes. */
export const configMapVolume: VolumeKind = {
  plugin: "kubernetes.io~configmap",
  handles: (volume) => volume.configMap !== undefined,
  async setUp({ volume, folder, configMap }) {
    const { name = "", items, defaultMode, optional = false } = volume.configMap ?? {};
    const found = configMap(name);
    if (found === undefined && !optional) throw new VolumeError(`configmap "${name}" not found`);
    const files = found === undefined ? [] : configMapFiles(found, items, defaultMode, optional);
    await writeDirectoryAtomically(folder, files);
    return { path: folder, ownedByPod: true, readOnly: true };
  },
};
