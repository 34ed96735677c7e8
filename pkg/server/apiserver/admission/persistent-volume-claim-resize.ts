import type { PersistentVolumeClaim } from "../../../api/generated/core-v1.generated.ts";
import { compareQuantities, parseQuantity } from "../../../api/quantity.ts";
import { storageClassResource } from "../../../api/resources/storageclass.ts";
import { storageClassOfClaim } from "../../../api/shared/storage-class.ts";
import type { AdmissionPlugin, ObjectReader } from "./admission.ts";
import { admissionForbidden, isAbout } from "./refusal.ts";

/** A claim grows only once it is bound, and where its class lets it. */
export function createPersistentVolumeClaimResize(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "PersistentVolumeClaimResize",
    validate(request) {
      if (request.operation !== "UPDATE" || !isAbout(request, "persistentvolumeclaims")) return;
      const next = request.object as PersistentVolumeClaim;
      const previous = request.previous as PersistentVolumeClaim;
      if (compareQuantities(sizeOf(next), sizeOf(previous)) <= 0) return;
      if (previous.status?.phase !== "Bound") {
        throw admissionForbidden(request, "Only bound persistent volume claims can be expanded");
      }
      const name = storageClassOfClaim(next) ?? "";
      const growing = reader.get(storageClassResource, undefined, name)?.allowVolumeExpansion;
      if (name !== "" && name === storageClassOfClaim(previous) && growing === true) return;
      throw admissionForbidden(
        request,
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
      );
    },
  };
}

function sizeOf({ spec }: PersistentVolumeClaim) {
  return parseQuantity(spec?.resources?.requests?.["storage"] ?? "0");
}
