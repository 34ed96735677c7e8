import type { PersistentVolumeSource } from "../generated/core-v1.generated.ts";
import type { Draft } from "../object.ts";

/** Where a volume's data are: what a pod's volume and a PersistentVolume fill in alike. */
type Source = Pick<Draft<PersistentVolumeSource>, "azureDisk" | "hostPath"> & {
  iscsi?: Pick<NonNullable<Draft<PersistentVolumeSource>["iscsi"]>, "iscsiInterface">;
  rbd?: Pick<NonNullable<Draft<PersistentVolumeSource>["rbd"]>, "keyring" | "pool" | "user">;
  scaleIO?: Pick<NonNullable<Draft<PersistentVolumeSource>["scaleIO"]>, "fsType" | "storageMode">;
};

export function defaultVolumeSource({ azureDisk, hostPath, iscsi, rbd, scaleIO }: Source): void {
  if (hostPath !== undefined) hostPath.type ??= "";
  if (iscsi !== undefined) iscsi.iscsiInterface ||= "default";
  if (rbd !== undefined) {
    rbd.pool ||= "rbd";
    rbd.user ||= "admin";
    rbd.keyring ||= "/etc/ceph/keyring";
  }
  if (azureDisk !== undefined) {
    azureDisk.cachingMode ??= "ReadWrite";
    azureDisk.fsType ??= "ext4";
    azureDisk.readOnly ??= false;
    azureDisk.kind ??= "Shared";
  }
  if (scaleIO !== undefined) {
    scaleIO.storageMode ||= "ThinProvisioned";
    scaleIO.fsType ||= "xfs";
  }
}
