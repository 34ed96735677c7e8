import { draftOf } from "../draft.ts";
import type { Pod } from "../generated/core-v1.generated.ts";
import { podSchema } from "../generated/core-v1.generated.ts";
import type { Draft } from "../object.ts";
import { keepMetadataOfStatus } from "./status-metadata.ts";

/** The kubelet's own pods stand for files of its node: what is written to them reaches nobody. */
export function isMirrorPod({ metadata }: Pick<Pod, "metadata">): boolean {
  return Object.hasOwn(metadata.annotations ?? {}, "kubernetes.io/config.mirror");
}

/** For writes of one part of the spec: puts all else back, but for the fields that are named. */
export function keepAllBut(
  draft: Draft<Pod>,
  previous: Pod,
  fields: readonly (keyof Pod["spec"])[],
): void {
  const sent = draft.spec as Record<string, unknown>;
  const spec = { ...(draftOf(previous.spec) as Record<string, unknown>) };
  for (const field of fields) {
    if (sent[field] === undefined) delete spec[field];
    else spec[field] = sent[field];
  }
  draft.spec = spec as unknown as Draft<Pod>["spec"];
  draft.status = draftOf(previous.status) as Draft<Pod>["status"];
  const { metadata } = draft;
  const { ownerReferences } = previous.metadata;
  keepMetadataOfStatus(draft, previous);
  if (ownerReferences === undefined) delete metadata.ownerReferences;
  else metadata.ownerReferences = ownerReferences.map((reference) => ({ ...reference }));
}

/** What nobody comes to own by a write of these fields of the spec. */
export function resetAllBut(
  fields: readonly (keyof Pod["spec"])[],
): readonly (readonly string[])[] {
  const spec = podSchema.object.fields.get("spec")?.type;
  const names = spec?.kind === "object" ? [...spec.schema().fields.keys()] : [];
  const others = names.filter((name) => !fields.includes(name as keyof Pod["spec"]));
  return [["metadata"], ["status"], ...others.map((name) => ["spec", name])];
}
