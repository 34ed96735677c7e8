import { addAll } from "../../base/add-all.ts";
import { ageColumn, humanDuration, nameColumn } from "../columns.ts";
import { isConditionTrue } from "../conditions.ts";
import { invalid, required } from "../field-error.ts";
import { type Job, type JobSpec, jobSchema } from "../generated/batch-v1.generated.ts";
import type { PodTemplateSpec } from "../generated/core-v1.generated.ts";
import { matchesSelector, selectorOf, validateLabelSelector } from "../labels.ts";
import { checkDnsLabel } from "../names.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { defaultJobSpec, jobSpecWarnings, validateJobSpec } from "../shared/job-spec.ts";
import { validateJobStatus } from "../shared/job-status.ts";
import {
  immutable,
  templateLabelsMismatch,
  workloadNameWarnings,
  workloadWideColumns,
} from "../shared/workload.ts";

export const jobResource = defineResource<Job>({
  group: "batch",
  version: "v1",
  kind: "Job",
  plural: "jobs",
  categories: ["all"],
  scope: "namespace",
  schema: jobSchema,
  subresources: { status: true },
  orphansDependents: true,
  namesItself: true,
  defaults(job) {
    defaultLabels(job);
    defaultJobSpec(job.spec);
  },
  prepareCreate(job) {
    if (job.spec.manualSelector !== true) generateSelector(job);
    // Kubernetes defaults what it reads from its store once more, and the template has labels by then.
    defaultLabels(job);
    job.status = {};
  },
  validate,
  validateUpdate,
  validateStatusUpdate: validateJobStatus,
  warnings({ metadata, spec }, previous) {
    if (previous !== undefined && previous.metadata.generation === metadata.generation) return [];
    const named = previous === undefined ? workloadNameWarnings(metadata.name) : [];
    return [...named, ...jobSpecWarnings(spec, "spec")];
  },
  selectableFields: { "status.successful": ({ status }) => String(status.succeeded ?? 0) },
  columns: [
    nameColumn,
    { name: "Status", type: "string", description: "How the job stands.", cell: printState },
    {
      name: "Completions",
      type: "string",
      description: "How many pods of those that should have succeeded.",
      cell: printCompletions,
    },
    {
      name: "Duration",
      type: "string",
      description: "How long the job has been running, or has run.",
      cell({ status: { startTime, completionTime } }, nowMs) {
        if (startTime === undefined) return "";
        const endMs = completionTime === undefined ? nowMs : Date.parse(completionTime);
        return humanDuration(endMs - Date.parse(startTime));
      },
    },
    ageColumn,
    ...workloadWideColumns,
  ],
});

// ---- columns ------------------------------------------------------------------

function printState({ metadata, status }: Job): string {
  const has = (type: string) => isConditionTrue(status.conditions, type);
  if (has("Complete")) return "Complete";
  if (has("Failed")) return "Failed";
  if (metadata.deletionTimestamp !== undefined) return "Terminating";
  const others = ["Suspended", "FailureTarget", "SuccessCriteriaMet"];
  return others.find(has) ?? "Running";
}

function printCompletions({ spec, status }: Job): string {
  const succeeded = status.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const { parallelism = 0 } = spec;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

// ---- the pods of a job ----------------------------------------------------------

const uidLabel = "batch.kubernetes.io/controller-uid";
const nameLabel = "batch.kubernetes.io/job-name";
const legacyUidLabel = "controller-uid";
const legacyNameLabel = "job-name";

/** A job that has no labels has those of its template. */
function defaultLabels(job: Draft<Job>): void {
  const { labels } = job.spec.template.metadata;
  if (labels !== undefined && Object.keys(job.metadata.labels ?? {}).length === 0) {
    job.metadata.labels = { ...labels };
  }
}

/** The labels by which a job's pods are known as its own. */
function ownLabels({ metadata }: Pick<Job, "metadata">): Readonly<Record<string, string>> {
  const { name, uid } = metadata;
  return { [legacyNameLabel]: name, [nameLabel]: name, [legacyUidLabel]: uid, [uidLabel]: uid };
}

/** Selects the pods by the job's uid, so that no two jobs ever count the same pod. */
function generateSelector(job: Draft<Job>): void {
  const { spec } = job;
  spec.template.metadata.labels = { ...ownLabels(job as Job), ...spec.template.metadata.labels };
  spec.selector = {
    ...spec.selector,
    matchLabels: { [uidLabel]: job.metadata.uid, ...spec.selector?.matchLabels },
  };
}

function validate(job: Job): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { metadata, spec } = job;
  if (spec.manualSelector !== true && spec.selector !== undefined) {
    validateGeneratedSelector(job, errors);
  }
  validateJobSpec(spec, "spec", errors);
  validateSelector(spec, errors);
  const { completionMode, completions = 0 } = spec;
  if (completionMode === "Indexed" && completions > 0) {
    const longest = `${metadata.name}-${completions - 1}`;
    if (checkDnsLabel(longest).length > 0) {
      errors.push(
        invalid(
          "metadata.name",
          metadata.name,
          `will not able to create pod with invalid DNS label: ${longest}`,
        ),
      );
    }
  }
  return errors;
}

function validateGeneratedSelector(job: Job, errors: FieldError[]): void {
  const { selector, template } = job.spec;
  const { name, uid } = job.metadata;
  const expected = ownLabels(job);
  requireLabel(template, legacyUidLabel, uid, errors);
  requireLabel(template, legacyNameLabel, name, errors);
  requireLabel(template, uidLabel, uid, errors);
  requireLabel(template, nameLabel, name, errors);
  const usable = validateLabelSelector(selector, "").length === 0;
  if (usable && !matchesSelector(selectorOf(selector), expected)) {
    errors.push(invalid("spec.selector", selector, "`selector` not auto-generated"));
  }
}

function requireLabel(
  { metadata: { labels = {} } }: PodTemplateSpec,
  label: string,
  value: string,
  errors: FieldError[],
): void {
  const path = `spec.template.metadata.labels[${label}]`;
  const detail = `must be '${value}'`;
  if (!Object.hasOwn(labels, label)) errors.push(required(path, detail));
  else if (labels[label] !== value) errors.push(invalid(path, labels, detail));
}

function validateSelector({ selector, template }: JobSpec, errors: FieldError[]): void {
  const problems = validateLabelSelector(selector, "spec.selector");
  if (selector === undefined) errors.push(required("spec.selector"));
  else addAll(errors, problems);
  const { labels } = template.metadata;
  if (problems.length === 0 && !matchesSelector(selectorOf(selector), labels)) {
    errors.push(templateLabelsMismatch(labels));
  }
}

// ---- updates --------------------------------------------------------------------

const immutableFields = [
  "completionMode",
  "podFailurePolicy",
  "backoffLimitPerIndex",
  "managedBy",
  "successPolicy",
] as const;

function validateUpdate(next: Job, previous: Job): readonly FieldError[] {
  const { spec } = next;
  const { spec: before } = previous;
  return [
    ...validateCompletions(spec, before),
    ...immutable("spec.selector", spec.selector, before.selector),
    ...validateTemplateUpdate(next, previous),
    ...immutableFields.flatMap((field) => immutable(`spec.${field}`, spec[field], before[field])),
  ];
}

/** An indexed job may grow or shrink, but all of its pods run at once then. */
function validateCompletions(next: JobSpec, previous: JobSpec): readonly FieldError[] {
  const path = "spec.completions";
  if (next.completionMode !== "Indexed") {
    return immutable(path, next.completions, previous.completions);
  }
  const { completions, parallelism } = next;
  if (completions === previous.completions || completions === undefined) return [];
  if (completions === parallelism) return [];
  return [invalid(path, completions, "can only be modified in tandem with spec.parallelism")];
}

/** The template of a job that is suspended, none of whose pods run, may be changed: where its pods go and what they ask for. */
function validateTemplateUpdate(next: Job, previous: Job): readonly FieldError[] {
  const { template } = next.spec;
  const { spec, status } = previous;
  const suspended = spec.suspend === true;
  const idle =
    suspended &&
    (status.startTime === undefined || isConditionTrue(status.conditions, "Suspended")) &&
    (status.active ?? 0) === 0;
  const allowed = idle ? withSchedulingOf(spec.template, template) : spec.template;
  if (!idle) return immutable("spec.template", template, allowed);
  return immutable("spec.template.spec", template.spec, withResourcesOf(allowed, template).spec);
}

/** `base`, with what says where pods may go, and what they are labelled with, taken from `donor`. */
function withSchedulingOf(base: PodTemplateSpec, donor: PodTemplateSpec): PodTemplateSpec {
  const spec: Record<string, unknown> = { ...base.spec };
  for (const field of ["nodeSelector", "tolerations", "schedulingGates"] as const) {
    if (donor.spec[field] === undefined) delete spec[field];
    else spec[field] = donor.spec[field];
  }
  const affinity: Record<string, unknown> = { ...base.spec.affinity };
  const { nodeAffinity } = donor.spec.affinity ?? {};
  if (nodeAffinity === undefined) delete affinity["nodeAffinity"];
  else affinity["nodeAffinity"] = nodeAffinity;
  const keepsEmpty = donor.spec.affinity !== undefined && equalJson(affinity, {});
  if (Object.keys(affinity).length > 0 || keepsEmpty) spec["affinity"] = affinity;
  else delete spec["affinity"];
  return { metadata: donor.metadata, spec: spec as unknown as PodTemplateSpec["spec"] };
}

function withResourcesOf(base: PodTemplateSpec, donor: PodTemplateSpec): PodTemplateSpec {
  const spec: Record<string, unknown> = { ...base.spec };
  for (const list of ["containers", "initContainers"] as const) {
    const from = donor.spec[list] ?? [];
    const to = base.spec[list];
    if (to === undefined || to.length !== from.length) continue;
    spec[list] = to.map((container, index) => {
      const given = from[index];
      if (given === undefined || given.name !== container.name) return container;
      const { resources: _, ...rest } = container;
      return given.resources === undefined ? rest : { ...rest, resources: given.resources };
    });
  }
  return { ...base, spec: spec as unknown as PodTemplateSpec["spec"] };
}
