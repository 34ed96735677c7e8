import { forbidden, invalid, required } from "../field-error.ts";
import type {
  Container,
  NodeAffinity,
  NodeSelectorTerm,
  PodSpec,
  Toleration,
} from "../generated/core-v1.generated.ts";
import { inclusiveRange } from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";
import { jsonDiff } from "./json-diff.ts";
import { validateTolerations } from "./validate-scheduling.ts";

const updatableFields = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

const int32Max = 2 ** 31 - 1;

/** What may change in the spec of a Pod that exists: next to nothing, for its containers may be running. */
export function validatePodSpecUpdate(next: PodSpec, previous: PodSpec): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { containers = [] } = next as Partial<PodSpec>;
  const sameContainers =
    checkImages(containers, previous.containers, "spec.containers", errors) &&
    checkImages(
      next.initContainers ?? [],
      previous.initContainers ?? [],
      "spec.initContainers",
      errors,
    );
  if (!sameContainers) return errors;
  if (!checkDeadline(next.activeDeadlineSeconds, previous.activeDeadlineSeconds, errors)) {
    return errors;
  }
  checkTolerations(next.tolerations ?? [], previous.tolerations ?? [], errors);
  checkSchedulingGates(next, previous, errors);
  if (equalJson(next, previous)) return errors;
  const compared = withUpdatableFieldsOf(next, previous);
  // A pod that is held back by gates has not been placed: where it may go can still be narrowed.
  if ((previous.schedulingGates ?? []).length > 0) narrowPlacement(compared, previous, errors);
  if (!equalJson(compared, previous)) {
    errors.push(
      forbidden(
        "spec",
        `pod updates may not change fields other than ${updatableFields}\n${jsonDiff(previous, compared)}`,
      ),
    );
  }
  return errors;
}

/** Adds what is wrong; false where the lists cannot be compared. */
function checkImages(
  next: readonly Container[],
  previous: readonly Container[],
  path: string,
  errors: FieldError[],
): boolean {
  if (next.length !== previous.length) {
    errors.push(forbidden(path, "pod updates may not add or remove containers"));
    return false;
  }
  next.forEach((container, index) => {
    if ((container.image ?? "") === "") errors.push(required(`${path}[${index}].image`));
    else if (container.image !== container.image?.trim()) {
      errors.push(
        invalid(
          `${path}[${index}].image`,
          container.image,
          "must not have leading or trailing whitespace",
        ),
      );
    }
  });
  return true;
}

/** Adds what is wrong; false where no more is to be said. */
function checkDeadline(
  next: number | undefined,
  previous: number | undefined,
  errors: FieldError[],
): boolean {
  const path = "spec.activeDeadlineSeconds";
  if (next === undefined) {
    if (previous !== undefined) {
      errors.push(invalid(path, undefined, "must not update from a positive integer to nil value"));
    }
    return true;
  }
  if (next < 0 || next > int32Max) {
    errors.push(invalid(path, next, inclusiveRange(0, int32Max)));
    return false;
  }
  if (previous === undefined || previous >= next) return true;
  errors.push(invalid(path, next, "must be less than or equal to previous value"));
  return false;
}

function checkTolerations(
  next: readonly Toleration[],
  previous: readonly Toleration[],
  errors: FieldError[],
): void {
  const withoutSeconds = ({ tolerationSeconds: _, ...rest }: Toleration) => rest;
  const kept = previous.every((old) =>
    next.some((toleration) => equalJson(withoutSeconds(toleration), withoutSeconds(old))),
  );
  if (kept) validateTolerations(next, "spec.tolerations", errors);
  else {
    errors.push(
      forbidden(
        "spec.tolerations",
        "existing toleration can not be modified except its tolerationSeconds",
      ),
    );
  }
}

function checkSchedulingGates(next: PodSpec, previous: PodSpec, errors: FieldError[]): void {
  const before = new Set((previous.schedulingGates ?? []).map(({ name }) => name));
  (next.schedulingGates ?? []).forEach(({ name }, index) => {
    if (before.has(name)) return;
    errors.push(
      forbidden(
        `spec.schedulingGates[${index}].name`,
        `only deletion is allowed, but found new scheduling gate '${name}'`,
      ),
    );
  });
}

type Fields = Record<string, unknown>;

/** `base` with what an update may change taken from `donor`. */
function withUpdatableFieldsOf(base: PodSpec, donor: PodSpec): Fields {
  const result: Fields = { ...base };
  result["containers"] = withImagesOf(base.containers, donor.containers);
  if (base.initContainers !== undefined) {
    result["initContainers"] = withImagesOf(base.initContainers, donor.initContainers ?? []);
  }
  for (const field of ["activeDeadlineSeconds", "tolerations", "schedulingGates"] as const) {
    setField(result, field, donor[field]);
  }
  const grace = donor.terminationGracePeriodSeconds ?? 0;
  if (grace < 0 && base.terminationGracePeriodSeconds === 1) {
    result["terminationGracePeriodSeconds"] = grace;
  }
  return result;
}

function setField(object: Fields, field: string, value: unknown): void {
  if (value === undefined) delete object[field];
  else object[field] = value;
}

function withImagesOf(
  containers: readonly Container[],
  donors: readonly Container[],
): readonly Container[] {
  return containers.map((container, index) => {
    const { image: _, ...rest } = container;
    const image = donors[index]?.image;
    return image === undefined ? rest : { ...rest, image };
  });
}

// ---- pods behind a gate -------------------------------------------------------------

/** Checks that where the pod may go only becomes less, and then takes it out of the comparison. */
function narrowPlacement(compared: Fields, previous: PodSpec, errors: FieldError[]): void {
  const next = compared as unknown as PodSpec;
  const { nodeSelector: before = {} } = previous;
  const kept = Object.entries(before).every(([key, value]) => next.nodeSelector?.[key] === value);
  if (!kept) {
    errors.push(
      invalid(
        "spec.nodeSelector",
        next.nodeSelector ?? null,
        "only additions to spec.nodeSelector are allowed (no mutations or deletions)",
      ),
    );
  }
  setField(compared, "nodeSelector", previous.nodeSelector);
  const affinity = previous.affinity?.nodeAffinity;
  if (equalJson(next.affinity?.nodeAffinity, affinity)) return;
  checkNodeAffinity(next.affinity?.nodeAffinity, affinity, errors);
  const others: Fields = { ...next.affinity };
  setField(others, "nodeAffinity", affinity);
  const isEmpty = Object.keys(others).length === 0;
  setField(compared, "affinity", isEmpty ? previous.affinity : others);
}

function checkNodeAffinity(
  next: NodeAffinity | undefined,
  previous: NodeAffinity | undefined,
  errors: FieldError[],
): void {
  const field = "requiredDuringSchedulingIgnoredDuringExecution";
  const path = `spec.affinity.nodeAffinity.${field}.nodeSelectorTerms`;
  const before = previous?.[field]?.nodeSelectorTerms ?? [];
  const terms = next?.[field]?.nodeSelectorTerms ?? [];
  if (before.length === 0) return;
  if (before.length !== terms.length) {
    const detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
    errors.push(invalid(path, terms, detail));
    return;
  }
  terms.forEach((term, index) => {
    if (isNarrowed(term, before[index] ?? {})) return;
    const detail = "only additions are allowed (no mutations or deletions)";
    errors.push(invalid(`${path}[${index}]`, term, detail));
  });
}

/** True where the term has more to fulfil than before. One that was fulfilled by nothing stays so. */
function isNarrowed(next: NodeSelectorTerm, previous: NodeSelectorTerm): boolean {
  const lists = ["matchExpressions", "matchFields"] as const;
  const wasEmpty = lists.every((list) => (previous[list] ?? []).length === 0);
  return lists.every((list) => {
    const before = previous[list] ?? [];
    const now = next[list] ?? [];
    return wasEmpty ? now.length === 0 : equalJson(now.slice(0, before.length), before);
  });
}
