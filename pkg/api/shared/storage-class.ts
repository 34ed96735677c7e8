import type { PersistentVolumeClaim } from "../generated/core-v1.generated.ts";
import type { TemplateMeta } from "../object.ts";

/** Where a claim or a volume named its class before there was a field for it. It still counts, and before the field. */
export const storageClassAnnotation = "volume.beta.kubernetes.io/storage-class";

const defaultClassAnnotations = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

/** Whether claims that name no class get this one. */
export function isDefaultStorageClass({ annotations }: Pick<TemplateMeta, "annotations">): boolean {
  return defaultClassAnnotations.some((annotation) => annotations?.[annotation] === "true");
}

/** The class that a claim names; undefined where it leaves the choice to the cluster, "" where it wants none. */
export function storageClassOfClaim({
  metadata,
  spec,
}: Pick<PersistentVolumeClaim, "metadata" | "spec">): string | undefined {
  return metadata.annotations?.[storageClassAnnotation] ?? spec.storageClassName;
}
