import type { PersistentVolume } from "../../api/generated/core-v1.generated.ts";
import { persistentVolumeResource } from "../../api/resources/persistentvolume.ts";
import { pvProtectionFinalizer, withProtection } from "../../api/shared/storage-protection.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchSelf } from "../../client/watches.ts";

/** Keeps a volume that is being deleted while a claim is bound to it, and each other volume ready for that. */
export function pvProtectionController(deps: {
  readonly client: Client;
  readonly volumes: Informer<PersistentVolume>;
}): Controller {
  const { client, volumes } = deps;
  return {
    name: "pv-protection",
    watches: [watchSelf(volumes)],
    async reconcile(key, signal) {
      const volume = volumes.get(key);
      if (volume === undefined) return undefined;
      const isUsed = () => volume.status?.phase === "Bound";
      const next = withProtection(volume, pvProtectionFinalizer, isUsed);
      if (next !== undefined) await client.update(persistentVolumeResource, next, signal);
      return undefined;
    },
  };
}
