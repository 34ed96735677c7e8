import type { Draft, KubernetesObject } from "../../../api/object.ts";
import { groupResourceOf } from "../../../api/resource.ts";
import {
  pvcProtectionFinalizer,
  pvProtectionFinalizer,
  vacProtectionFinalizer,
} from "../../../api/shared/storage-protection.ts";
import type { AdmissionPlugin } from "./admission.ts";

const finalizers: ReadonlyMap<string, string> = new Map([
  ["persistentvolumeclaims", pvcProtectionFinalizer],
  ["persistentvolumes", pvProtectionFinalizer],
  ["volumeattributesclasses.storage.k8s.io", vacProtectionFinalizer],
]);

/** What holds data is not gone before nobody uses it: the protection controllers take the finalizer away. */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  admit(request) {
    if (request.operation !== "CREATE" || request.subresource !== "") return;
    const finalizer = finalizers.get(groupResourceOf(request.resource));
    if (finalizer === undefined) return;
    const { metadata } = request.object as Draft<KubernetesObject>;
    const present = metadata.finalizers ?? [];
    if (!present.includes(finalizer)) metadata.finalizers = [...present, finalizer];
  },
};
