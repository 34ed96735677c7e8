import type {
  PersistentVolume,
  PersistentVolumeClaim,
} from "../../api/generated/core-v1.generated.ts";
import type { VolumeAttributesClass } from "../../api/generated/storage-v1.generated.ts";
import { volumeAttributesClassResource } from "../../api/resources/volumeattributesclass.ts";
import { vacProtectionFinalizer, withProtection } from "../../api/shared/storage-protection.ts";
import { volumeAttributesClassesOf } from "../../api/shared/volume-attributes-classes.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchMapped, watchSelf } from "../../client/watches.ts";

/** Keeps a class that is being deleted while a claim or a volume is of it, and each other class ready for that. */
export function vacProtectionController(deps: {
  readonly client: Client;
  readonly classes: Informer<VolumeAttributesClass>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Informer<PersistentVolume>;
}): Controller {
  const { client, classes, claims, volumes } = deps;
  const isUsed = (name: string): boolean =>
    claims.list().some((claim) => volumeAttributesClassesOf(claim).includes(name)) ||
    volumes.list().some(({ spec }) => spec?.volumeAttributesClassName === name);
  return {
    name: "vac-protection",
    watches: [
      watchSelf(classes),
      watchMapped(claims, volumeAttributesClassesOf),
      watchMapped(volumes, ({ spec }) =>
        spec?.volumeAttributesClassName ? [spec.volumeAttributesClassName] : [],
      ),
    ],
    async reconcile(key, signal) {
      const found = classes.get(key);
      if (found === undefined) return undefined;
      const next = withProtection(found, vacProtectionFinalizer, () => isUsed(key));
      if (next !== undefined) await client.update(volumeAttributesClassResource, next, signal);
      return undefined;
    },
  };
}
