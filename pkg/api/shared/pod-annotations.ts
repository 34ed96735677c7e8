import { forbidden, invalid } from "../field-error.ts";
import type { PodSpec } from "../generated/core-v1.generated.ts";
import type { TemplateMeta } from "../object.ts";
import type { FieldError } from "../resource.ts";
import { appArmorPrefix, validateProfileAnnotations } from "./pod-profiles.ts";

const mirror = "kubernetes.io/config.mirror";
const deletionCost = "controller.kubernetes.io/pod-deletion-cost";
const int32Max = 2 ** 31 - 1;

interface Annotated {
  readonly metadata: TemplateMeta;
  readonly spec: PodSpec;
}

/** Annotations that Kubernetes itself reads, of a pod or of a template. */
export function validatePodAnnotations(
  annotated: Annotated,
  path: string,
  errors: FieldError[],
): void {
  const { annotations = {} } = annotated.metadata;
  const mirrored = annotations[mirror];
  if (mirrored !== undefined && (annotated.spec.nodeName ?? "") === "") {
    const detail = "must set spec.nodeName if mirror pod annotation is set";
    errors.push(invalid(`${path}[${mirror}]`, mirrored, detail));
  }
  const cost = annotations[deletionCost];
  if (cost !== undefined && !isDeletionCost(cost)) {
    errors.push(invalid(`${path}[${deletionCost}]`, cost, "must be a 32bit integer"));
  }
  validateProfileAnnotations(annotated, path, errors);
}

/** No sign for what is positive, and no zeros in front. */
function isDeletionCost(text: string): boolean {
  if (!/^-?(0|[1-9][0-9]*)$/.test(text)) return false;
  const cost = Number(text);
  return cost >= -int32Max - 1 && cost <= int32Max;
}

/** Annotations that stay as they were when the pod was made. */
export function validateAnnotationsUpdate(
  { metadata: { annotations: next = {} } }: Annotated,
  { metadata: { annotations: previous = {} } }: Annotated,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (key: string, change: string) => {
    const path = `metadata.annotations[${key}]`;
    if (key.startsWith(appArmorPrefix)) {
      errors.push(forbidden(path, `may not ${change} AppArmor annotations`));
    }
    if (key === mirror) errors.push(forbidden(path, `may not ${change} mirror pod annotation`));
  };
  for (const key in previous) if (next[key] !== previous[key]) refuse(key, "remove or update");
  for (const key in next) if (!Object.hasOwn(previous, key)) refuse(key, "add");
  return errors;
}
