import type { Volume } from "../../../../../api/generated/core-v1.generated.ts";
import { type Check, named, plural, quoted, sortedSet } from "../check.ts";

const allowed: readonly (keyof Volume)[] = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

/** Volumes that are neither the cluster's own nor behind a claim. */
const restricted: readonly (keyof Volume)[] = [
  "hostPath",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "gitRepo",
  "nfs",
  "iscsi",
  "glusterfs",
  "rbd",
  "flexVolume",
  "cinder",
  "cephfs",
  "flocker",
  "fc",
  "azureFile",
  "vsphereVolume",
  "quobyte",
  "azureDisk",
  "photonPersistentDisk",
  "portworxVolume",
  "scaleIO",
  "storageos",
];

/** A pod mounts only what the cluster makes for it, or what a claim stands for. */
export const restrictedVolumes: Check = {
  id: "restrictedVolumes",
  level: "restricted",
  versions: [
    {
      minor: 0,
      overrides: ["hostPathVolumes"],
      check({ spec }) {
        const bad = (spec.volumes ?? []).filter(
          (volume) => !allowed.some((type) => volume[type] !== undefined),
        );
        if (bad.length === 0) return undefined;
        const types = sortedSet(bad.map(typeOf));
        const uses = bad.length === 1 ? "uses" : "use";
        const volumes = named(
          "volume",
          bad.map((volume) => volume.name),
        );
        return {
          reason: "restricted volume types",
          detail: `${volumes} ${uses} ${plural("restricted volume type", types.length)} ${quoted(types)}`,
        };
      },
    },
  ],
};

function typeOf(volume: Volume): string {
  return restricted.find((type) => volume[type] !== undefined) ?? "unknown";
}
