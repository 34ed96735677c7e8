import { forbidden, invalid, required } from "../field-error.ts";
import type { Container, PodSpec, Toleration } from "../generated/core-v1.generated.ts";
import { inclusiveRange } from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";

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
  checkDeadline(next.activeDeadlineSeconds, previous.activeDeadlineSeconds, errors);
  checkTolerations(next.tolerations ?? [], previous.tolerations ?? [], errors);
  checkSchedulingGates(next, previous, errors);
  const expected = withUpdatableFieldsOf(previous, next);
  if (!equalJson(next, expected)) {
    errors.push(
      forbidden(
        "spec",
        `pod updates may not change fields other than ${updatableFields}\n${describeDifferences(previous, withUpdatableFieldsOf(next, previous))}`,
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

function checkDeadline(
  next: number | undefined,
  previous: number | undefined,
  errors: FieldError[],
): void {
  const path = "spec.activeDeadlineSeconds";
  if (next === undefined) {
    if (previous !== undefined) {
      errors.push(invalid(path, undefined, "must not update from a positive integer to nil value"));
    }
  } else if (next < 0 || next > int32Max) {
    errors.push(invalid(path, next, inclusiveRange(0, int32Max)));
  } else if (previous !== undefined && previous < next) {
    errors.push(invalid(path, next, "must be less than or equal to previous value"));
  }
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
  if (!kept) {
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

const freelyUpdated = ["activeDeadlineSeconds", "tolerations", "schedulingGates"] as const;

/** `base`, with what an update may change taken from `donor`. */
function withUpdatableFieldsOf(base: PodSpec, donor: PodSpec): PodSpec {
  const result: Record<string, unknown> = { ...base };
  result["containers"] = withImagesOf(base.containers, donor.containers);
  if (base.initContainers !== undefined) {
    result["initContainers"] = withImagesOf(base.initContainers, donor.initContainers ?? []);
  }
  for (const field of freelyUpdated) {
    if (donor[field] === undefined) delete result[field];
    else result[field] = donor[field];
  }
  // A pod that is held back by gates has not been placed: where it may go can still be narrowed.
  const isGated = [base, donor].some((spec) => (spec.schedulingGates ?? []).length > 0);
  if (isGated) {
    for (const field of ["nodeSelector", "affinity"] as const) {
      if (donor[field] === undefined) delete result[field];
      else result[field] = donor[field];
    }
  }
  return result as unknown as PodSpec;
}

/** The fields that differ, each with its value before (`-`) and after (`+`). */
function describeDifferences(before: unknown, after: unknown, path = "spec"): string {
  if (equalJson(before, after)) return "";
  if (isBranch(before) && isBranch(after) && Array.isArray(before) === Array.isArray(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys]
      .map((key) =>
        describeDifferences(
          before[key],
          after[key],
          Array.isArray(before) ? `${path}[${key}]` : `${path}.${key}`,
        ),
      )
      .filter((text) => text !== "")
      .join("\n");
  }
  return `  ${path}:\n- \t${printJson(before)}\n+ \t${printJson(after)}`;
}

function isBranch(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function printJson(value: unknown): string {
  return value === undefined ? "<absent>" : JSON.stringify(value);
}
