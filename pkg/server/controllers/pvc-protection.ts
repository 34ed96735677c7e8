import type { PersistentVolumeClaim, Pod } from "../../api/generated/core-v1.generated.ts";
import { objectKey } from "../../api/object.ts";
import { persistentVolumeClaimResource } from "../../api/resources/persistentvolumeclaim.ts";
import { pvcProtectionFinalizer, withProtection } from "../../api/shared/storage-protection.ts";
import type { Client } from "../../client/client.ts";
import type { Controller } from "../../client/controller.ts";
import type { Informer } from "../../client/informer.ts";
import { watchMapped, watchSelf } from "../../client/watches.ts";

/** Keeps a claim that is being deleted while a pod uses it, and each other claim ready for that. */
export function pvcProtectionController(deps: {
  readonly client: Client;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly pods: Informer<Pod>;
}): Controller {
  const { client, claims, pods } = deps;
  return {
    name: "pvc-protection",
    watches: [watchSelf(claims), watchMapped(pods, claimsOf)],
    async reconcile(key, signal) {
      const claim = claims.get(key);
      if (claim === undefined) return undefined;
      const isUsed = () => pods.list(claim.metadata.namespace).some((pod) => usesClaim(pod, claim));
      const next = withProtection(claim, pvcProtectionFinalizer, isUsed);
      if (next !== undefined) await client.update(persistentVolumeClaimResource, next, signal);
      return undefined;
    },
  };
}

/**
 * Whether a pod may touch a claim's data: once it has a node, until it is gone; for a claim of its own, until it ended.
 *
 * @package
 */
export function usesClaim(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (!pod.spec?.nodeName) return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  const isShutDown = deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0;
  const { name, ownerReferences = [] } = claim.metadata;
  return (pod.spec.volumes ?? []).some((volume) => {
    if (volume.persistentVolumeClaim?.claimName === name) return true;
    if (volume.ephemeral === undefined || isShutDown) return false;
    return (
      ownClaim(pod, volume.name) === name &&
      ownerReferences.some(({ uid, controller }) => controller === true && uid === pod.metadata.uid)
    );
  });
}

function ownClaim(pod: Pod, volume: string): string {
  return `${pod.metadata.name}-${volume}`;
}

function claimsOf(pod: Pod): readonly string[] {
  return (pod.spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    const claim = ephemeral === undefined ? persistentVolumeClaim?.claimName : ownClaim(pod, name);
    return claim === undefined ? [] : [objectKey(pod.metadata.namespace, claim)];
  });
}
