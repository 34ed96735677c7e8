import { ageColumn, ageOf, nameColumn } from "../columns.ts";
import { invalid, notSupported, required } from "../field-error.ts";
import { type CronJob, type CronJobSpec, cronJobSchema } from "../generated/batch-v1.generated.ts";
import { formatLabelSelector } from "../labels.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { checkCronSchedule, checkTimeZone } from "../shared/cron-schedule.ts";
import { defaultJobTemplate, jobSpecWarnings, validateJobSpec } from "../shared/job-spec.ts";
import { validateNonNegative } from "../shared/validate-counts.ts";
import { containerColumns, workloadNameWarnings } from "../shared/workload.ts";

export const cronJobResource = defineResource<CronJob>({
  group: "batch",
  version: "v1",
  kind: "CronJob",
  plural: "cronjobs",
  shortNames: ["cj"],
  categories: ["all"],
  scope: "namespace",
  schema: cronJobSchema,
  subresources: { status: true },
  defaults({ spec }) {
    spec.concurrencyPolicy ||= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    defaultJobTemplate(spec.jobTemplate.spec);
  },
  prepareCreate(cronJob) {
    cronJob.status = {};
  },
  validateCreate: ({ metadata, spec }) => [
    ...validateSpec(spec, undefined),
    ...validateNameLength(metadata.name),
  ],
  validateUpdate: (next, previous) => validateSpec(next.spec, previous.spec),
  warnings,
  columns: [
    nameColumn,
    {
      name: "Schedule",
      type: "string",
      description: "When a job is made, as in a crontab.",
      cell: ({ spec }) => spec.schedule,
    },
    {
      name: "Timezone",
      type: "string",
      description: "The time zone of the schedule.",
      cell: ({ spec }) => spec.timeZone ?? "<none>",
    },
    {
      name: "Suspend",
      type: "boolean",
      description: "Whether no jobs are made at present.",
      cell: ({ spec }) => (spec.suspend === undefined ? "<unset>" : titled(spec.suspend)),
    },
    {
      name: "Active",
      type: "integer",
      description: "How many jobs are running.",
      cell: ({ status }) => status.active?.length ?? 0,
    },
    {
      name: "Last Schedule",
      type: "string",
      description: "How long ago a job was due last.",
      cell: ({ status: { lastScheduleTime } }, nowMs) =>
        lastScheduleTime === undefined ? "<none>" : ageOf(lastScheduleTime, nowMs),
    },
    ageColumn,
    ...containerColumns(({ spec }: CronJob) => spec.jobTemplate.spec.template),
    {
      name: "Selector",
      type: "string",
      priority: 1,
      description: "Which pods the jobs count.",
      cell: ({ spec }) => formatLabelSelector(spec.jobTemplate.spec.selector),
    },
  ],
});

function titled(value: boolean): string {
  return value ? "True" : "False";
}

/** A job is called after it and the minute: eleven characters more, and still a label. */
const nameCharactersMax = 52;

function validateNameLength(name: string): readonly FieldError[] {
  if (name.length <= nameCharactersMax) return [];
  return [invalid("metadata.name", name, "must be no more than 52 characters")];
}

const concurrencyPolicies = ["Allow", "Forbid", "Replace"];

function validateSpec(spec: CronJobSpec, previous: CronJobSpec | undefined): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (spec.schedule === "") errors.push(required("spec.schedule"));
  else validateSchedule(spec, previous, errors);
  validateNonNegative(spec.startingDeadlineSeconds, "spec.startingDeadlineSeconds", errors);
  if (spec.timeZone !== undefined && spec.timeZone !== previous?.timeZone) {
    validateTimeZone(spec.timeZone, errors);
  }
  const { concurrencyPolicy = "" } = spec;
  if (concurrencyPolicy === "") errors.push(required("spec.concurrencyPolicy"));
  else if (!concurrencyPolicies.includes(concurrencyPolicy)) {
    errors.push(notSupported("spec.concurrencyPolicy", concurrencyPolicy, concurrencyPolicies));
  }
  validateTemplate(spec.jobTemplate.spec, "spec.jobTemplate.spec", errors);
  for (const field of ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] as const) {
    validateNonNegative(spec[field], `spec.${field}`, errors);
  }
  return errors;
}

function validateSchedule(
  { schedule, timeZone }: CronJobSpec,
  previous: CronJobSpec | undefined,
  errors: FieldError[],
): void {
  const path = "spec.schedule";
  const problem = checkCronSchedule(schedule);
  if (problem !== undefined) errors.push(invalid(path, schedule, problem));
  if (!schedule.includes("TZ")) return;
  // What once was accepted is kept.
  if (previous?.schedule.includes("TZ") !== true) {
    errors.push(
      invalid(path, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
    );
  } else if (timeZone !== undefined) {
    errors.push(
      invalid(path, schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"),
    );
  }
}

const zonePart = /^[A-Za-z._0-9+-]{1,14}$/;

function validateTimeZone(zone: string, errors: FieldError[]): void {
  const path = "spec.timeZone";
  if (zone === "") {
    errors.push(invalid(path, zone, "timeZone must be nil or non-empty string"));
    return;
  }
  const isName = zone
    .split("/")
    .every((part) => part !== "." && part !== ".." && !part.startsWith("-") && zonePart.test(part));
  if (!isName) {
    errors.push(invalid(path, zone, `unknown time zone ${zone}`));
    return;
  }
  if (zone.toLowerCase() === "local") {
    errors.push(
      invalid(
        path,
        zone,
        "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
      ),
    );
  }
  const problem = checkTimeZone(zone);
  if (problem !== undefined) errors.push(invalid(path, zone, problem));
}

function validateTemplate(
  spec: CronJobSpec["jobTemplate"]["spec"],
  path: string,
  errors: FieldError[],
): void {
  validateJobSpec(spec, path, errors);
  if (spec.selector !== undefined) {
    errors.push(invalid(`${path}.selector`, spec.selector, "`selector` will be auto-generated"));
  }
  if (spec.manualSelector === true) {
    errors.push(notSupported(`${path}.manualSelector`, true, ["nil", "false"]));
  }
}

function warnings({ metadata, spec }: CronJob, previous: CronJob | undefined): readonly string[] {
  const template = () => jobSpecWarnings(spec.jobTemplate.spec, "spec.jobTemplate.spec");
  if (previous === undefined) return [...workloadNameWarnings(metadata.name), ...template()];
  return [
    ...(previous.metadata.generation === metadata.generation ? [] : template()),
    ...(spec.schedule.includes("TZ")
      ? [
          "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details",
        ]
      : []),
  ];
}
