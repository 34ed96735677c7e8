import { forbidden } from "../field-error.ts";
import type { Pod } from "../generated/core-v1.generated.ts";
import { equalJson } from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";
import { jsonDiff } from "./json-diff.ts";
import { isMirrorPod } from "./pod-parts.ts";

/** Containers may be added to a pod that runs, to look into it; those that are there stay as they are. */
export function validateEphemeralContainersUpdate(next: Pod, previous: Pod): readonly FieldError[] {
  if (isMirrorPod(previous)) {
    return [forbidden("", "static pods do not support ephemeral containers")];
  }
  const path = "spec.ephemeralContainers";
  const errors: FieldError[] = [];
  for (const old of previous.spec.ephemeralContainers ?? []) {
    const name = JSON.stringify(old.name);
    const kept = next.spec.ephemeralContainers?.findLast(
      (container) => container.name === old.name,
    );
    if (kept === undefined) {
      errors.push(forbidden(path, `existing ephemeral containers ${name} may not be removed\n`));
    } else if (!equalJson(old, kept)) {
      const difference = jsonDiff(old, kept);
      errors.push(
        forbidden(path, `existing ephemeral containers ${name} may not be changed\n${difference}`),
      );
    }
  }
  return errors;
}
