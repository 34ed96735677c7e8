import type { Pod, Volume } from "../../../api/generated/core-v1.generated.ts";
import { csiDriverResource } from "../../../api/resources/csidriver.ts";
import { persistentVolumeResource } from "../../../api/resources/persistentvolume.ts";
import { persistentVolumeClaimResource } from "../../../api/resources/persistentvolumeclaim.ts";
import type { ObjectReader } from "./admission.ts";

/** Those whom a pod's volumes show tokens to: "" is the API server itself; drivers of volumes are told of by their kind. */
export function podTokenAudiences(reader: ObjectReader, pod: Pod): ReadonlySet<string> {
  const audiences = new Set<string>();
  for (const volume of pod.spec?.volumes ?? []) {
    for (const { serviceAccountToken } of volume.projected?.sources ?? []) {
      if (serviceAccountToken !== undefined) audiences.add(serviceAccountToken.audience ?? "");
    }
    const driver = driverOf(reader, pod, volume);
    if (driver === undefined) continue;
    const { tokenRequests = [] } = reader.get(csiDriverResource, undefined, driver)?.spec ?? {};
    for (const { audience } of tokenRequests) audiences.add(audience);
  }
  return audiences;
}

function driverOf(reader: ObjectReader, pod: Pod, volume: Volume): string | undefined {
  if (volume.csi !== undefined) return volume.csi.driver;
  const claimName =
    volume.ephemeral === undefined
      ? volume.persistentVolumeClaim?.claimName
      : `${pod.metadata.name}-${volume.name}`;
  if (claimName === undefined) return undefined;
  const { namespace } = pod.metadata;
  const claim = reader.get(persistentVolumeClaimResource, namespace, claimName);
  const volumeName = claim?.spec?.volumeName ?? "";
  if (volumeName === "") return undefined;
  return reader.get(persistentVolumeResource, undefined, volumeName)?.spec?.csi?.driver;
}
