import type { PersistentVolumeClaim } from "../generated/core-v1.generated.ts";

/** The VolumeAttributesClasses that a claim asks for, has, or is on its way to. */
export function volumeAttributesClassesOf({
  spec,
  status,
}: PersistentVolumeClaim): readonly string[] {
  const names = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return [...new Set(names.filter((name): name is string => name !== undefined && name !== ""))];
}
