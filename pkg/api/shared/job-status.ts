import { isConditionTrue } from "../conditions.ts";
import { duplicate, immutableDetail, invalid, invalidTogether, required } from "../field-error.ts";
import type { Job, JobStatus } from "../generated/batch-v1.generated.ts";
import { equalJson } from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";
import { countIndexes, firstCommonIndex } from "./index-intervals.ts";
import { validateEachNonNegative } from "./validate-counts.ts";

/** What a status says of a job's end. */
interface Outcome {
  readonly complete: boolean;
  readonly failed: boolean;
  readonly finished: boolean;
  readonly failureTarget: boolean;
  readonly criteriaMet: boolean;
}

function outcomeOf({ conditions }: JobStatus): Outcome {
  const complete = isConditionTrue(conditions, "Complete");
  const failed = isConditionTrue(conditions, "Failed");
  return {
    complete,
    failed,
    finished: complete || failed,
    failureTarget: isConditionTrue(conditions, "FailureTarget"),
    criteriaMet: isConditionTrue(conditions, "SuccessCriteriaMet"),
  };
}

/** A write of a status, beside the one before: rules hold only for what changes, so that what is odd can be mended. */
interface StatusChange {
  readonly job: Job;
  readonly next: JobStatus;
  readonly previous: JobStatus;
  readonly now: Outcome;
  readonly before: Outcome;
  changed(...fields: readonly (keyof JobStatus)[]): boolean;
}

const conditionsPath = "status.conditions";

/** What may not be said of a job's state, whoever runs it: upstream lets other controllers than its own run jobs. */
export function validateJobStatus(job: Job, { status: previous }: Job): readonly FieldError[] {
  const { status: next } = job;
  const change: StatusChange = {
    job,
    next,
    previous,
    now: outcomeOf(next),
    before: outcomeOf(previous),
    changed: (...fields) => fields.some((field) => !equalJson(next[field], previous[field])),
  };
  const errors: FieldError[] = [];
  const counts = ["active", "succeeded", "failed", "ready", "terminating"] as const;
  validateEachNonNegative(next, counts, "status", errors);
  validateUncounted(next, errors);
  validateEnd(change, errors);
  validateFinished(change, errors);
  validateIndexes(change, errors);
  validatePods(change, errors);
  validateCriteria(change, errors);
  validateHistory(change, errors);
  return errors;
}

function validateUncounted({ uncountedTerminatedPods }: JobStatus, errors: FieldError[]): void {
  const seen = new Set<string>();
  for (const field of ["succeeded", "failed"] as const) {
    (uncountedTerminatedPods?.[field] ?? []).forEach((uid, index) => {
      const path = `status.uncountedTerminatedPods.${field}[${index}]`;
      if (uid === "") errors.push(invalid(path, uid, "must not be empty"));
      else if (seen.has(uid)) errors.push(duplicate(path, uid));
      seen.add(uid);
    });
  }
}

function refuseConditions(detail: string, errors: FieldError[]): void {
  errors.push(invalidTogether(conditionsPath, detail));
}

function validateEnd({ next, now, before, changed }: StatusChange, errors: FieldError[]): void {
  const completeChanged = now.complete !== before.complete;
  const failedChanged = now.failed !== before.failed;
  const { startTime, completionTime } = next;
  const path = "status.completionTime";
  if ((completeChanged || failedChanged) && now.complete && now.failed) {
    refuseConditions("cannot set Complete=True and Failed=true conditions", errors);
  }
  const targetChanged = now.failureTarget !== before.failureTarget;
  if ((completeChanged || targetChanged) && now.complete && now.failureTarget) {
    refuseConditions("cannot set Complete=True and FailureTarget=true conditions", errors);
  }
  if (completeChanged || changed("completionTime")) {
    if (completionTime !== undefined && !now.complete) {
      const detail = "cannot set completionTime when there is no Complete=True condition";
      errors.push(invalid(path, completionTime, detail));
    }
    if (completionTime === undefined && now.complete) {
      errors.push(required(path, "completionTime is required for Complete jobs"));
    }
  }
  if (changed("startTime", "completionTime") && startTime !== undefined) {
    if (completionTime !== undefined && Date.parse(completionTime) < Date.parse(startTime)) {
      errors.push(invalid(path, completionTime, "must be equal to or after `startTime`"));
    }
  }
  if ((failedChanged || changed("failedIndexes")) && now.failed && !now.failureTarget) {
    const detail = "cannot set Failed=True condition without the FailureTarget=true condition";
    refuseConditions(detail, errors);
  }
  const criteriaChanged = now.criteriaMet !== before.criteriaMet;
  if ((completeChanged || criteriaChanged) && now.complete && !now.criteriaMet) {
    const detail =
      "cannot set Complete=True condition without the SuccessCriteriaMet=true condition";
    refuseConditions(detail, errors);
  }
}

function validateFinished(
  { job, next, now, before, changed }: StatusChange,
  errors: FieldError[],
): void {
  if (!now.finished) return;
  const finishedChanged = now.finished !== before.finished;
  const { active = 0, uncountedTerminatedPods: uncounted } = next;
  if ((finishedChanged || changed("active")) && active > 0) {
    errors.push(invalid("status.active", active, "active>0 is invalid for finished job"));
  }
  const neverStarts = job.spec.suspend === true && job.spec.completions === 0;
  if ((finishedChanged || changed("startTime")) && !neverStarts && next.startTime === undefined) {
    errors.push(required("status.startTime", "startTime is required for finished job"));
  }
  const uncountedPods = (uncounted?.failed ?? []).length + (uncounted?.succeeded ?? []).length;
  if ((finishedChanged || changed("uncountedTerminatedPods")) && uncountedPods > 0) {
    const detail = "must be empty for finished job";
    errors.push(invalid("status.uncountedTerminatedPods", uncounted, detail));
  }
}

function validateIndexes({ job, next, changed }: StatusChange, errors: FieldError[]): void {
  const { completions, backoffLimitPerIndex, completionMode } = job.spec;
  const { completedIndexes = "", failedIndexes } = next;
  const completedChanged = changed("completedIndexes");
  const failedChanged = changed("failedIndexes");
  const refuse = (field: "completedIndexes" | "failedIndexes", detail: string) =>
    errors.push(invalid(`status.${field}`, next[field], detail));
  const refuseUnreadable = (field: "completedIndexes" | "failedIndexes", text: string) => {
    const counted = countIndexes(text, completions ?? 0);
    if ("problem" in counted) refuse(field, `error parsing ${field}: ${counted.problem}`);
  };
  if (completedChanged && completions !== undefined) {
    refuseUnreadable("completedIndexes", completedIndexes);
  }
  if (failedChanged && completions !== undefined && failedIndexes !== undefined) {
    if (backoffLimitPerIndex !== undefined) refuseUnreadable("failedIndexes", failedIndexes);
  }
  if (completedChanged && completedIndexes !== "" && completionMode !== "Indexed") {
    refuse(
      "completedIndexes",
      "cannot set non-empty completedIndexes when non-indexed completion mode",
    );
  }
  if (failedIndexes === undefined) return;
  if (failedChanged && backoffLimitPerIndex === undefined) {
    refuse("failedIndexes", "cannot set non-null failedIndexes when backoffLimitPerIndex is null");
  }
  if ((failedChanged || completedChanged) && completions !== undefined) {
    const common = firstCommonIndex(completedIndexes, failedIndexes, completions);
    if (common !== undefined) {
      refuse("failedIndexes", `failedIndexes and completedIndexes overlap at index: ${common}`);
    }
  }
}

function validatePods({ next, now, before, changed }: StatusChange, errors: FieldError[]): void {
  const { active = 0, ready, terminating = 0 } = next;
  const finishedChanged = now.finished !== before.finished;
  if ((finishedChanged || changed("terminating")) && terminating > 0 && now.finished) {
    const detail = "terminating>0 is invalid for finished job";
    errors.push(invalid("status.terminating", terminating, detail));
  }
  if (changed("ready", "active") && ready !== undefined && ready > active) {
    errors.push(invalid("status.ready", ready, "cannot set more ready pods than active"));
  }
}

function validateCriteria({ job, now }: StatusChange, errors: FieldError[]): void {
  if (now.criteriaMet && now.failed) {
    refuseConditions("cannot set SuccessCriteriaMet=True and Failed=true conditions", errors);
  }
  if (now.criteriaMet && now.failureTarget) {
    const detail = "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions";
    refuseConditions(detail, errors);
  }
  if (job.spec.successPolicy !== undefined && !now.criteriaMet && now.complete) {
    const detail =
      "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True";
    refuseConditions(detail, errors);
  }
}

/** What has been said once, and stays said. */
function validateHistory(
  { job, next, previous, now, before, changed }: StatusChange,
  errors: FieldError[],
): void {
  for (const type of ["Failed", "Complete", "FailureTarget"]) {
    if (!isConditionTrue(previous.conditions, type)) continue;
    if (isConditionTrue(next.conditions, type)) continue;
    refuseConditions(`cannot disable the terminal ${type}=True condition`, errors);
  }
  const { completionMode, completions, parallelism, suspend } = job.spec;
  const { failed = 0, succeeded = 0 } = next;
  if (failed < (previous.failed ?? 0)) {
    errors.push(invalid("status.failed", failed, "cannot decrease the failed counter"));
  }
  // Where all pods run at once, the job can be made smaller.
  const shrinks = completionMode === "Indexed" && completions === parallelism;
  if (!shrinks && succeeded < (previous.succeeded ?? 0)) {
    errors.push(invalid("status.succeeded", succeeded, "cannot decrease the succeeded counter"));
  }
  const { completionTime, startTime } = next;
  if (completionTime !== undefined && previous.completionTime !== undefined) {
    if (changed("completionTime")) {
      errors.push(invalid("status.completionTime", completionTime, immutableDetail));
    }
  }
  const resuming =
    isConditionTrue(previous.conditions, "Suspended") &&
    next.conditions?.some(({ type, status }) => type === "Suspended" && status === "False") ===
      true;
  if (previous.startTime !== undefined && changed("startTime") && !resuming && suspend !== true) {
    const detail = "field is immutable for unsuspended job once set";
    errors.push(invalid("status.startTime", startTime, detail));
  }
  if (before.criteriaMet && !now.criteriaMet) {
    refuseConditions("cannot disable the SuccessCriteriaMet=True condition", errors);
  }
  if (before.complete && !before.criteriaMet && now.criteriaMet) {
    const detail =
      "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions";
    refuseConditions(detail, errors);
  }
}
