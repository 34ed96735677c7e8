import type { Column } from "../resource.ts";

/** Whether a PersistentVolume or a PersistentVolumeClaim is a file system; only with `-o wide`. */
export const volumeModeColumn: Column<{ readonly spec: { readonly volumeMode?: string } }> = {
  name: "VolumeMode",
  type: "string",
  priority: 1,
  description: "Whether the volume is a file system or a block device.",
  cell: ({ spec }) => spec.volumeMode ?? "<unset>",
};
