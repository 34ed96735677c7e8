import { addAll } from "../../base/add-all.ts";
import {
  duplicate,
  invalid,
  invalidEach,
  invalidTogether,
  notSupported,
  required,
  tooLong,
  tooMany,
} from "../field-error.ts";
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from "../generated/batch-v1.generated.ts";
import { checkQualifiedName } from "../names.ts";
import type { Draft } from "../object.ts";
import type { FieldError } from "../resource.ts";
import { countIndexes } from "./index-intervals.ts";
import { defaultPodSpec } from "./pod-spec-defaults.ts";
import { podWarnings } from "./pod-warnings.ts";
import { validateEachNonNegative, validateNonNegative } from "./validate-counts.ts";
import { validateDomainPath } from "./validate-domain-path.ts";
import { validatePodTemplate } from "./validate-pod-spec.ts";

const indexedParallelismMax = 100_000;
const failedIndexesMax = 100_000;
/** Above this many completions, fewer pods may run, and fewer may fail: the status has to hold all of them. */
const completionsSoftMax = 100_000;
const parallelismOfManyMax = 10_000;
const failedIndexesOfManyMax = 10_000;
const failureRulesMax = 20;
const exitCodesMax = 255;
const conditionPatternsMax = 20;
const managedByBytesMax = 63;
const succeededIndexesBytesMax = 64 * 1024;
const successRulesMax = 20;
const int32Max = 2 ** 31 - 1;

const failureActions = ["Count", "FailIndex", "FailJob", "Ignore"];
const exitCodeOperators = ["In", "NotIn"];
const conditionStatuses = ["False", "True", "Unknown"];
const replacementPolicies = ["Failed", "TerminatingOrFailed"];

/** As Go prints a list of texts with `%q`. */
function quoted(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
}

/** What the spec of a CronJob's template leaves out: of that, upstream completes less than of a Job's own. */
export function defaultJobTemplate(spec: Draft<JobSpec>): void {
  defaultPodSpec(spec.template.spec);
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  }
}

/** What a Job's spec leaves out. */
export function defaultJobSpec(spec: Draft<JobSpec>): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : int32Max;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??=
    spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  spec.manualSelector ??= false;
  defaultJobTemplate(spec);
}

/** A Job's spec, but for its selector. */
export function validateJobSpec(spec: JobSpec, path: string, errors: FieldError[]): void {
  validateEachNonNegative(
    spec,
    [
      "parallelism",
      "completions",
      "activeDeadlineSeconds",
      "backoffLimit",
      "ttlSecondsAfterFinished",
      "backoffLimitPerIndex",
      "maxFailedIndexes",
    ],
    path,
    errors,
  );
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified"));
  }
  if (spec.managedBy !== undefined) {
    validateDomainPath(spec.managedBy, `${path}.managedBy`, errors);
    if (Buffer.byteLength(spec.managedBy) > managedByBytesMax) {
      errors.push(tooLong(`${path}.managedBy`, managedByBytesMax));
    }
  }
  validateCompletionMode(spec, path, errors);
  if (spec.podFailurePolicy !== undefined) validateFailurePolicy(spec, path, errors);
  if (spec.successPolicy !== undefined) validateSuccessPolicy(spec, path, errors);
  validateReplacementPolicy(spec, `${path}.podReplacementPolicy`, errors);
  validatePodTemplate(spec.template, `${path}.template`, errors);
  validateRestartPolicy(spec, `${path}.template.spec.restartPolicy`, errors);
}

function validateCompletionMode(spec: JobSpec, path: string, errors: FieldError[]): void {
  const { completionMode: mode = "NonIndexed" } = spec;
  switch (mode) {
    case "Indexed":
      validateIndexed(spec, path, errors);
      break;
    case "NonIndexed":
      for (const field of ["backoffLimitPerIndex", "maxFailedIndexes"] as const) {
        if (spec[field] === undefined) continue;
        errors.push(invalid(`${path}.${field}`, spec[field], "requires indexed completion mode"));
      }
      break;
    default:
      errors.push(notSupported(`${path}.completionMode`, mode, ["NonIndexed", "Indexed"]));
  }
}

function validateIndexed(spec: JobSpec, path: string, errors: FieldError[]): void {
  const { completions, parallelism = 0, maxFailedIndexes: failed } = spec;
  if (completions === undefined) {
    errors.push(required(`${path}.completions`, "when completion mode is Indexed"));
  }
  const atMost = (field: "parallelism" | "maxFailedIndexes", max: number | string, when = "") => {
    const detail = `must be less than or equal to ${max}${when}`;
    errors.push(invalid(`${path}.${field}`, spec[field], detail));
  };
  if (parallelism > indexedParallelismMax) {
    atMost("parallelism", indexedParallelismMax, " when completion mode is Indexed");
  }
  if (completions !== undefined && failed !== undefined && failed > completions) {
    atMost("maxFailedIndexes", "completions");
  }
  if (failed !== undefined && failed > failedIndexesMax) {
    atMost("maxFailedIndexes", failedIndexesMax);
  }
  if (completions === undefined || completions <= completionsSoftMax) return;
  if (spec.backoffLimitPerIndex === undefined) return;
  const when = ` when completions are above ${completionsSoftMax} and used with backoff limit per index`;
  if (failed === undefined) {
    errors.push(
      required(
        `${path}.maxFailedIndexes`,
        `must be specified when completions is above ${completionsSoftMax}`,
      ),
    );
  }
  if (parallelism > parallelismOfManyMax) atMost("parallelism", parallelismOfManyMax, when);
  if (failed !== undefined && failed > failedIndexesOfManyMax) {
    atMost("maxFailedIndexes", failedIndexesOfManyMax, when);
  }
}

// ---- which failures count ------------------------------------------------------

function validateFailurePolicy(spec: JobSpec, path: string, errors: FieldError[]): void {
  const at = `${path}.podFailurePolicy.rules`;
  const rules = spec.podFailurePolicy?.rules ?? [];
  if (rules.length > failureRulesMax) errors.push(tooMany(at, rules.length, failureRulesMax));
  const { containers = [], initContainers = [] } = spec.template.spec as Partial<
    JobSpec["template"]["spec"]
  >;
  const names = new Set([...containers, ...initContainers].map(({ name }) => name));
  rules.forEach((rule, index) => {
    validateFailureRule(rule, spec, names, `${at}[${index}]`, errors);
  });
}

function validateFailureRule(
  rule: PodFailurePolicyRule,
  spec: JobSpec,
  containers: ReadonlySet<string>,
  path: string,
  errors: FieldError[],
): void {
  const action = (rule.action ?? "") as string;
  const { onExitCodes, onPodConditions = [] } = rule;
  if (action === "") {
    errors.push(required(`${path}.action`, `valid values: ${quoted(failureActions)}`));
  } else if (action === "FailIndex") {
    if (spec.backoffLimitPerIndex === undefined) {
      errors.push(invalid(`${path}.action`, action, "requires the backoffLimitPerIndex to be set"));
    }
  } else if (!failureActions.includes(action)) {
    errors.push(notSupported(`${path}.action`, action, failureActions));
  }
  if (onExitCodes !== undefined) {
    validateExitCodes(onExitCodes, containers, `${path}.onExitCodes`, errors);
  }
  if (onPodConditions.length > 0) {
    validatePodConditions(onPodConditions, `${path}.onPodConditions`, errors);
  }
  const both = onExitCodes !== undefined && onPodConditions.length > 0;
  const neither = onExitCodes === undefined && onPodConditions.length === 0;
  if (both) {
    errors.push(
      invalidTogether(path, "specifying both OnExitCodes and OnPodConditions is not supported"),
    );
  } else if (neither) {
    errors.push(
      invalidTogether(path, "specifying one of OnExitCodes and OnPodConditions is required"),
    );
  }
}

function validateExitCodes(
  requirement: PodFailurePolicyOnExitCodesRequirement,
  containers: ReadonlySet<string>,
  path: string,
  errors: FieldError[],
): void {
  const { containerName, values = [] } = requirement;
  const operator = (requirement.operator ?? "") as string;
  if (operator === "") {
    errors.push(required(`${path}.operator`, `valid values: ${quoted(exitCodeOperators)}`));
  } else if (!exitCodeOperators.includes(operator)) {
    errors.push(notSupported(`${path}.operator`, operator, exitCodeOperators));
  }
  if (containerName !== undefined && !containers.has(containerName)) {
    errors.push(
      invalid(
        `${path}.containerName`,
        containerName,
        "must be one of the container or initContainer names in the pod template",
      ),
    );
  }
  const at = `${path}.values`;
  if (values.length === 0) errors.push(invalid(at, values, "at least one value is required"));
  else if (values.length > exitCodesMax) errors.push(tooMany(at, values.length, exitCodesMax));
  const seen = new Set<number>();
  values.forEach((value, index) => {
    if (operator === "In" && value === 0) {
      errors.push(invalid(`${at}[${index}]`, value, "must not be 0 for the In operator"));
    }
    if (seen.has(value)) errors.push(duplicate(`${at}[${index}]`, value));
    seen.add(value);
  });
  const ordered = values.every((value, index) => index === 0 || (values[index - 1] ?? 0) <= value);
  if (!ordered) errors.push(invalid(at, values, "must be ordered"));
}

function validatePodConditions(
  patterns: readonly PodFailurePolicyOnPodConditionsPattern[],
  path: string,
  errors: FieldError[],
): void {
  if (patterns.length > conditionPatternsMax) {
    errors.push(tooMany(path, patterns.length, conditionPatternsMax));
  }
  patterns.forEach(({ type, status }, index) => {
    const at = `${path}[${index}]`;
    addAll(errors, invalidEach(`${at}.type`, type, checkQualifiedName(type)));
    if (!conditionStatuses.includes(status)) {
      errors.push(notSupported(`${at}.status`, status, conditionStatuses));
    }
  });
}

// ---- when the whole has succeeded ----------------------------------------------

function validateSuccessPolicy(spec: JobSpec, path: string, errors: FieldError[]): void {
  const at = `${path}.successPolicy`;
  if (spec.completionMode !== "Indexed") {
    errors.push(invalid(at, spec.successPolicy, "requires indexed completion mode"));
    return;
  }
  const rules = spec.successPolicy?.rules ?? [];
  if (rules.length === 0) {
    errors.push(
      required(
        `${at}.rules`,
        "at least one rules must be specified when the successPolicy is specified",
      ),
    );
  }
  if (rules.length > successRulesMax) {
    errors.push(tooMany(`${at}.rules`, rules.length, successRulesMax));
  }
  rules.forEach((rule, index) => {
    validateSuccessRule(rule, spec.completions ?? 0, `${at}.rules[${index}]`, errors);
  });
}

function validateSuccessRule(
  { succeededCount, succeededIndexes }: SuccessPolicyRule,
  completions: number,
  path: string,
  errors: FieldError[],
): void {
  if (succeededCount === undefined && succeededIndexes === undefined) {
    errors.push(
      required(path, "at least one of succeededCount or succeededIndexes must be specified"),
    );
  }
  let indexes = 0;
  if (succeededIndexes !== undefined) {
    const at = `${path}.succeededIndexes`;
    if (Buffer.byteLength(succeededIndexes) > succeededIndexesBytesMax) {
      errors.push(tooLong(at, succeededIndexesBytesMax));
    }
    const counted = countIndexes(succeededIndexes, completions);
    if ("problem" in counted) {
      errors.push(
        invalid(at, succeededIndexes, `error parsing succeededIndexes: ${counted.problem}`),
      );
    } else indexes = counted.count;
  }
  if (succeededCount === undefined) return;
  const at = `${path}.succeededCount`;
  validateNonNegative(succeededCount, at, errors);
  const atMost = (max: number, what: string) => {
    if (succeededCount <= max) return;
    const detail = `must be less than or equal to ${max} (the number of ${what})`;
    errors.push(invalid(at, succeededCount, detail));
  };
  atMost(completions, "specified completions");
  if (succeededIndexes !== undefined) {
    atMost(indexes, "indexes in the specified succeededIndexes field");
  }
}

// ---- the pods -------------------------------------------------------------------

function validateReplacementPolicy(spec: JobSpec, path: string, errors: FieldError[]): void {
  const { podReplacementPolicy: policy } = spec;
  if (policy === undefined) return;
  // Whether a failure counts is only known when the pod is over.
  const supported = spec.podFailurePolicy === undefined ? replacementPolicies : ["Failed"];
  if (!supported.includes(policy)) errors.push(notSupported(path, policy, supported));
}

function validateRestartPolicy(spec: JobSpec, path: string, errors: FieldError[]): void {
  const { restartPolicy: policy = "" } = spec.template.spec;
  if (policy === "Always" || policy === "") {
    errors.push(required(path, 'valid values: "OnFailure", "Never"'));
  } else if (policy !== "OnFailure" && policy !== "Never") {
    errors.push(notSupported(path, policy, ["OnFailure", "Never"]));
  } else if (spec.podFailurePolicy !== undefined && policy !== "Never") {
    const detail = 'only "Never" is supported when podFailurePolicy is specified';
    errors.push(invalid(path, policy, detail));
  }
}

export function jobSpecWarnings(spec: JobSpec, path: string): readonly string[] {
  const { completions = 0, parallelism = 0, completionMode } = spec;
  const many =
    completionMode === "Indexed" &&
    completions > completionsSoftMax &&
    parallelism > parallelismOfManyMax;
  return [
    ...(many
      ? [
          `${path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
        ]
      : []),
    ...podWarnings(spec.template, `${path}.template`),
  ];
}
