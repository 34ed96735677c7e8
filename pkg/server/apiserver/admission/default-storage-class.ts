import type { PersistentVolumeClaim } from "../../../api/generated/core-v1.generated.ts";
import type { Draft } from "../../../api/object.ts";
import { storageClassResource } from "../../../api/resources/storageclass.ts";
import { isDefaultStorageClass, storageClassOfClaim } from "../../../api/shared/storage-class.ts";
import type { AdmissionPlugin, ObjectReader } from "./admission.ts";
import { newestDefault } from "./newest-default.ts";
import { isAbout } from "./refusal.ts";

/** A claim that names no class is of the default one, where there is one. The empty name is a name: none. */
export function createDefaultStorageClass(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "DefaultStorageClass",
    admit(request) {
      if (request.operation !== "CREATE" || !isAbout(request, "persistentvolumeclaims")) return;
      const claim = request.object as Draft<PersistentVolumeClaim>;
      if (storageClassOfClaim(claim as PersistentVolumeClaim) !== undefined) return;
      const chosen = newestDefault(reader.list(storageClassResource), isDefaultStorageClass);
      if (chosen !== undefined) claim.spec.storageClassName = chosen.metadata.name;
    },
  };
}
