import type { KubernetesObject } from "../object.ts";

/** Keeps a claim while a pod uses it. */
export const pvcProtectionFinalizer = "kubernetes.io/pvc-protection";
/** Keeps a volume while a claim is bound to it. */
export const pvProtectionFinalizer = "kubernetes.io/pv-protection";
/** Keeps a VolumeAttributesClass while a claim or a volume is of it. */
export const vacProtectionFinalizer = "kubernetes.io/vac-protection";

/**
 * The object with the finalizer where it should have it, and without where it should not: one that lives has it, one
 * that is being deleted keeps it while it is used. Undefined where that is so.
 */
export function withProtection<T extends KubernetesObject>(
  object: T,
  finalizer: string,
  isUsed: () => boolean,
): T | undefined {
  const { finalizers = [], deletionTimestamp } = object.metadata;
  const isKept = finalizers.includes(finalizer);
  const keep = deletionTimestamp === undefined || (isKept && isUsed());
  if (keep === isKept) return undefined;
  const others = finalizers.filter((each) => each !== finalizer);
  const metadata = { ...object.metadata, finalizers: keep ? [...others, finalizer] : others };
  return { ...object, metadata };
}
