import { writeDirectoryAtomically } from "../../host/atomic-directory.ts";
import { downwardFiles } from "./payload.ts";
import type { VolumeKind } from "./volume.ts";

/** Fields of the pod itself as files, which follow its changes. */
export const downwardApiVolume: VolumeKind = {
  plugin: "kubernetes.io~downward-api",
  handles: (volume) => volume.downwardAPI !== undefined,
  async setUp(context) {
    const { items = [], defaultMode } = context.volume.downwardAPI ?? {};
    await writeDirectoryAtomically(context.folder, downwardFiles(items, defaultMode, context));
    return { path: context.folder, ownedByPod: true, readOnly: true };
  },
};
