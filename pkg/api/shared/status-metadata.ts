import type { Draft, KubernetesObject } from "../object.ts";

/** For kinds of which a write of the status changes nothing of the metadata: puts back what the store lets through. */
export function keepMetadataOfStatus(
  { metadata }: Draft<KubernetesObject>,
  previous: KubernetesObject,
): void {
  const { labels, annotations, finalizers } = previous.metadata;
  if (labels === undefined) delete metadata.labels;
  else metadata.labels = { ...labels };
  if (annotations === undefined) delete metadata.annotations;
  else metadata.annotations = { ...annotations };
  if (finalizers === undefined) delete metadata.finalizers;
  else metadata.finalizers = [...finalizers];
}
