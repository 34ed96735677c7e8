import { describe, expect, test } from "vitest";
import { createdFromYaml, decodeYaml } from "../../../test/support/decode-yaml.ts";
import type { CronJob, Job, JobStatus } from "../generated/batch-v1.generated.ts";
import type { FieldError } from "../resource.ts";
import { cronJobResource } from "./cronjob.ts";
import { jobResource } from "./job.ts";

const pod = "{restartPolicy: Never, containers: [{name: work, image: busybox}]}";
const template = `template: {spec: ${pod}}`;

/** A job as it is about to be stored: it has its name and its uid by then. */
function job(spec: string, name = "once"): Job {
  const draft = decodeYaml(
    jobResource,
    `{apiVersion: batch/v1, kind: Job, metadata: {name: ${name}}, spec: {${spec}}}`,
  );
  draft.metadata.uid = "u-1";
  jobResource.prepareCreate?.(draft, { username: "somebody", groups: [] }, 0);
  return draft as Job;
}

function cronJob(spec: string, name = "nightly"): CronJob {
  return createdFromYaml(
    cronJobResource,
    `{apiVersion: batch/v1, kind: CronJob, metadata: {name: ${name}}, spec: {${spec}}}`,
  );
}

const daily = `schedule: '@daily', jobTemplate: {spec: {${template}}}`;

function shown(errors: readonly FieldError[] | undefined): readonly string[] {
  return (errors ?? []).map(
    ({ path, type, detail }) => `${path}: ${type}${detail === "" ? "" : `: ${detail}`}`,
  );
}

const problems = (object: Job) => shown(jobResource.validate?.(object));

describe("a Job", () => {
  test("is completed, and selects its pods by its uid", () => {
    const { metadata, spec, status } = job(
      `template: {metadata: {labels: {app: a}}, spec: ${pod}}`,
    );
    expect(metadata.labels).toEqual({ app: "a" });
    expect(spec).toMatchObject({
      backoffLimit: 6,
      completionMode: "NonIndexed",
      completions: 1,
      manualSelector: false,
      parallelism: 1,
      podReplacementPolicy: "TerminatingOrFailed",
      selector: { matchLabels: { "batch.kubernetes.io/controller-uid": "u-1" } },
      suspend: false,
    });
    expect(spec.template.metadata.labels).toEqual({
      app: "a",
      "batch.kubernetes.io/controller-uid": "u-1",
      "batch.kubernetes.io/job-name": "once",
      "controller-uid": "u-1",
      "job-name": "once",
    });
    expect(status).toEqual({});
    expect(problems(job(template))).toEqual([]);
  });

  test("without any label has those by which it knows its pods, and is listed by its own name", () => {
    const { metadata, spec } = job(template);
    expect(metadata.labels).toEqual({
      "batch.kubernetes.io/controller-uid": "u-1",
      "batch.kubernetes.io/job-name": "once",
      "controller-uid": "u-1",
      "job-name": "once",
    });
    expect(metadata.labels).toEqual(spec.template.metadata.labels);
    expect(job(`manualSelector: true, ${template}`).metadata.labels).toBeUndefined();
  });

  test.each<[string, Partial<Job["spec"]>]>([
    ["parallelism: 3", { parallelism: 3 }],
    ["completions: 3", { completions: 3, parallelism: 1 }],
    ["backoffLimitPerIndex: 1, completions: 1", { backoffLimit: 2 ** 31 - 1 }],
    [
      "podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}]}",
      {
        podReplacementPolicy: "Failed",
        podFailurePolicy: {
          rules: [
            { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
          ],
        },
      },
    ],
  ])("with {%s}", (spec, expected) => {
    expect(job(`${spec}, ${template}`).spec).toMatchObject(expected);
  });

  test("of which any number will do has no completions", () => {
    expect(job(`parallelism: 3, ${template}`).spec.completions).toBe(undefined);
  });

  test.each<[string, string[]]>([
    [
      "parallelism: -1, completions: -1, backoffLimit: -1",
      [
        "spec.parallelism: Invalid value: must be greater than or equal to 0",
        "spec.completions: Invalid value: must be greater than or equal to 0",
        "spec.backoffLimit: Invalid value: must be greater than or equal to 0",
      ],
    ],
    [
      "completionMode: Counted",
      ['spec.completionMode: Unsupported value: supported values: "NonIndexed", "Indexed"'],
    ],
    [
      "completionMode: Indexed, parallelism: 1",
      ["spec.completions: Required value: when completion mode is Indexed"],
    ],
    [
      "backoffLimitPerIndex: 1",
      ["spec.backoffLimitPerIndex: Invalid value: requires indexed completion mode"],
    ],
    [
      "completionMode: Indexed, completions: 2, maxFailedIndexes: 3",
      [
        "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
        "spec.maxFailedIndexes: Invalid value: must be less than or equal to completions",
      ],
    ],
    [
      "completionMode: Indexed, completions: 200000, parallelism: 20000, backoffLimitPerIndex: 1",
      [
        "spec.maxFailedIndexes: Required value: must be specified when completions is above 100000",
        "spec.parallelism: Invalid value: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index",
      ],
    ],
    [
      "managedBy: somebody",
      ['spec.managedBy: Invalid value: must be a domain-prefixed path (such as "acme.io/foo")'],
    ],
    [
      "podReplacementPolicy: Never",
      [
        'spec.podReplacementPolicy: Unsupported value: supported values: "Failed", "TerminatingOrFailed"',
      ],
    ],
    [
      "podFailurePolicy: {rules: [{action: Ignore}]}",
      [
        "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
      ],
    ],
    [
      "podFailurePolicy: {rules: [{action: FailIndex, onExitCodes: {operator: In, values: [3, 0, 3], containerName: other}}]}",
      [
        "spec.podFailurePolicy.rules[0].action: Invalid value: requires the backoffLimitPerIndex to be set",
        "spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: must be one of the container or initContainer names in the pod template",
        "spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: must not be 0 for the In operator",
        "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value",
        "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: must be ordered",
      ],
    ],
    [
      "successPolicy: {rules: [{succeededCount: 1}]}",
      ["spec.successPolicy: Invalid value: requires indexed completion mode"],
    ],
    [
      "completionMode: Indexed, completions: 3, successPolicy: {rules: [{succeededIndexes: '0,2', succeededCount: 3}, {}]}",
      [
        "spec.successPolicy.rules[0].succeededCount: Invalid value: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)",
        "spec.successPolicy.rules[1]: Required value: at least one of succeededCount or succeededIndexes must be specified",
      ],
    ],
    [
      "completionMode: Indexed, completions: 3, successPolicy: {rules: [{succeededIndexes: '2-1'}, {succeededIndexes: '3'}, {succeededIndexes: a}]}",
      [
        "spec.successPolicy.rules[0].succeededIndexes: Invalid value: error parsing succeededIndexes: non-increasing order, previous: 2, current: 1",
        'spec.successPolicy.rules[1].succeededIndexes: Invalid value: error parsing succeededIndexes: too large index: "3"',
        'spec.successPolicy.rules[2].succeededIndexes: Invalid value: error parsing succeededIndexes: cannot convert string to integer for index: "a"',
      ],
    ],
    [
      "manualSelector: true",
      [
        "spec.selector: Required value",
        "spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`",
      ],
    ],
  ])("{%s} is refused in upstream's words", (spec, expected) => {
    expect(problems(job(`${spec}, ${template}`))).toEqual(expected);
  });

  test("has pods that end", () => {
    const always = (policy: string) => job(template.replace("restartPolicy: Never, ", policy));
    const path = "spec.template.spec.restartPolicy";
    expect(problems(always(""))).toEqual([
      `${path}: Required value: valid values: "OnFailure", "Never"`,
    ]);
    expect(problems(always("restartPolicy: OnFailure, "))).toEqual([]);
    const counted =
      "podFailurePolicy: {rules: [{action: Ignore, onExitCodes: {operator: In, values: [1]}}]}";
    const onFailure = template.replace("Never", "OnFailure");
    expect(problems(job(`${counted}, ${onFailure}`))).toEqual([
      `${path}: Invalid value: only "Never" is supported when podFailurePolicy is specified`,
    ]);
  });

  test("cannot claim another's pods", () => {
    const foreign = `template: {metadata: {labels: {controller-uid: other}}, spec: ${pod}}`;
    expect(problems(job(foreign))).toEqual([
      "spec.template.metadata.labels[controller-uid]: Invalid value: must be 'u-1'",
    ]);
    const selecting = `selector: {matchLabels: {a: b}}, ${template}`;
    expect(problems(job(selecting))).toEqual([
      "spec.selector: Invalid value: `selector` not auto-generated",
      "spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`",
    ]);
  });

  test("has names for all of its pods", () => {
    const name = "a".repeat(62);
    const indexed = `completionMode: Indexed, completions: 3, ${template}`;
    expect(problems(job(indexed, name))).toEqual([
      `metadata.name: Invalid value: will not able to create pod with invalid DNS label: ${name}-2`,
    ]);
  });

  test("is shown with how far it has come", () => {
    const made = job(template);
    const row = (object: Job) => jobResource.columns.map((column) => column.cell(object, 60_000));
    expect(row(made)).toEqual([
      ...["once", "Running", "0/1", "", "<unknown>", "work", "busybox"],
      "batch.kubernetes.io/controller-uid=u-1",
    ]);
    const status: JobStatus = {
      succeeded: 1,
      startTime: "1970-01-01T00:00:05Z",
      completionTime: "1970-01-01T00:00:30Z",
      conditions: [{ type: "Complete", status: "True" }],
    };
    expect(row({ ...made, status }).slice(1, 4)).toEqual(["Complete", "1/1", "25s"]);
    const any = job(`parallelism: 3, ${template}`);
    expect(row(any)[2]).toBe("0/1 of 3");
    expect(row({ ...any, status: { startTime: "1970-01-01T00:00:05Z" } })[3]).toBe("55s");
  });
});

describe("an update of a Job", () => {
  const before = job(template);
  const update = (next: Job, previous = before) =>
    shown(jobResource.validateUpdate?.(next, previous));
  const changed = (spec: Partial<Job["spec"]>, of = before): Job => ({
    ...of,
    spec: { ...of.spec, ...spec },
  });

  test("changes how many pods run at once, and when to give up", () => {
    expect(update(changed({ parallelism: 5, backoffLimit: 1, suspend: true }))).toEqual([]);
  });

  test.each<[keyof Job["spec"], Partial<Job["spec"]>]>([
    ["completions", { completions: 2 }],
    ["selector", { selector: {} }],
    ["completionMode", { completionMode: "Indexed" }],
    ["podFailurePolicy", { podFailurePolicy: { rules: [] } }],
    ["managedBy", { managedBy: "a.io/b" }],
    ["successPolicy", { successPolicy: { rules: [] } }],
  ])("does not change %s", (field, spec) => {
    expect(update(changed({ completions: 1, ...spec }))).toEqual([
      `spec.${field}: Invalid value: field is immutable`,
    ]);
  });

  test("resizes an indexed job as a whole", () => {
    const indexed = job(`completionMode: Indexed, completions: 3, parallelism: 3, ${template}`);
    expect(update(changed({ completions: 5, parallelism: 5 }, indexed), indexed)).toEqual([]);
    expect(update(changed({ completions: 5 }, indexed), indexed)).toEqual([
      "spec.completions: Invalid value: can only be modified in tandem with spec.parallelism",
    ]);
  });

  test("says anew where the pods of a suspended job go, and what they ask for", () => {
    const suspended = job(`suspend: true, ${template}`);
    const { template: old } = suspended.spec;
    const [container] = old.spec.containers;
    if (container === undefined) throw new Error("a job without a container");
    const moved = {
      metadata: { ...old.metadata, annotations: { a: "b" } },
      spec: {
        ...old.spec,
        nodeSelector: { zone: "a" },
        affinity: { nodeAffinity: {} },
        containers: [{ ...container, resources: { requests: { cpu: "1" } } }],
      },
    };
    expect(update(changed({ template: moved }, suspended), suspended)).toEqual([]);
    expect(update(changed({ template: moved }))).toEqual([
      "spec.template: Invalid value: field is immutable",
    ]);
    const running: Job = { ...suspended, status: { startTime: "2026-01-01T00:00:00Z", active: 1 } };
    expect(update(changed({ template: moved }, suspended), running)).toEqual([
      "spec.template: Invalid value: field is immutable",
    ]);
    const other = { ...moved, spec: { ...moved.spec, containers: [{ ...container, image: "b" }] } };
    expect(update(changed({ template: other }, suspended), suspended)).toEqual([
      "spec.template.spec: Invalid value: field is immutable",
    ]);
  });
});

describe("a Job's status", () => {
  const made = job(`completionMode: Indexed, completions: 5, backoffLimitPerIndex: 1, ${template}`);
  const write = (next: JobStatus, previous: JobStatus = {}) =>
    shown(
      jobResource.validateStatusUpdate?.({ ...made, status: next }, { ...made, status: previous }),
    );
  const is = (...types: string[]) => types.map((type) => ({ type, status: "True" }));
  const startTime = "2026-01-01T00:00:00Z";
  const completionTime = "2026-01-01T00:01:00Z";
  const done: JobStatus = {
    conditions: is("SuccessCriteriaMet", "Complete"),
    startTime,
    completionTime,
    completedIndexes: "0-4",
    succeeded: 5,
  };

  test.each<[string, JobStatus, JobStatus, string[]]>([
    ["complete", done, {}, []],
    [
      "negative",
      { active: -1 },
      {},
      ["status.active: Invalid value: must be greater than or equal to 0"],
    ],
    [
      "complete without an end",
      { ...done, completionTime: undefined } as unknown as JobStatus,
      {},
      ["status.completionTime: Required value: completionTime is required for Complete jobs"],
    ],
    [
      "ended before it began",
      { ...done, startTime: completionTime, completionTime: startTime },
      {},
      ["status.completionTime: Invalid value: must be equal to or after `startTime`"],
    ],
    [
      "failed without its target",
      { conditions: is("Failed"), startTime },
      {},
      [
        "status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition",
      ],
    ],
    [
      "failed, never begun, and still at work",
      { conditions: is("FailureTarget", "Failed"), active: 1, ready: 2 },
      {},
      [
        "status.active: Invalid value: active>0 is invalid for finished job",
        "status.startTime: Required value: startTime is required for finished job",
        "status.ready: Invalid value: cannot set more ready pods than active",
      ],
    ],
    [
      "both at once",
      { completedIndexes: "0-3", failedIndexes: "2,4" },
      {},
      [
        "status.failedIndexes: Invalid value: failedIndexes and completedIndexes overlap at index: 2",
      ],
    ],
    [
      "beyond its pods",
      { completedIndexes: "0-5" },
      {},
      [
        'status.completedIndexes: Invalid value: error parsing completedIndexes: too large index: "5"',
      ],
    ],
    ["as odd as before", { completedIndexes: "0-5" }, { completedIndexes: "0-5" }, []],
    [
      "complete no more",
      { ...done, conditions: is("SuccessCriteriaMet") },
      done,
      [
        "status.completionTime: Invalid value: cannot set completionTime when there is no Complete=True condition",
        "status.conditions: Invalid value: cannot disable the terminal Complete=True condition",
      ],
    ],
    [
      "forgetful",
      { failed: 1, succeeded: 1 },
      { failed: 2, succeeded: 2, startTime },
      [
        "status.failed: Invalid value: cannot decrease the failed counter",
        "status.succeeded: Invalid value: cannot decrease the succeeded counter",
        "status.startTime: Invalid value: field is immutable for unsuspended job once set",
      ],
    ],
    [
      "one pod twice",
      { uncountedTerminatedPods: { succeeded: ["a", ""], failed: ["a"] } },
      {},
      [
        "status.uncountedTerminatedPods.succeeded[1]: Invalid value: must not be empty",
        "status.uncountedTerminatedPods.failed[0]: Duplicate value",
      ],
    ],
  ])("%s", (_, next, previous, expected) => {
    expect(write(next, previous)).toEqual(expected);
  });
});

describe("a CronJob", () => {
  const create = (spec: string, name?: string) =>
    shown(cronJobResource.validateCreate?.(cronJob(spec, name)));

  test("is completed, and its jobs are when they are made", () => {
    const { spec, status } = cronJob(daily);
    expect(spec).toMatchObject({
      concurrencyPolicy: "Allow",
      failedJobsHistoryLimit: 1,
      successfulJobsHistoryLimit: 3,
      suspend: false,
    });
    expect(spec.jobTemplate.spec.backoffLimit).toBe(undefined);
    expect(spec.jobTemplate.spec.template.spec.dnsPolicy).toBe("ClusterFirst");
    expect(status).toEqual({});
  });

  test.each<[string, string[]]>([
    [daily, []],
    [daily.replace("'@daily'", "''"), ["spec.schedule: Required value"]],
    [
      daily.replace("'@daily'", "'* * *'"),
      ["spec.schedule: Invalid value: expected exactly 5 fields, found 3: [* * *]"],
    ],
    [
      daily.replace("'@daily'", "'TZ=UTC 0 0 * * *'"),
      [
        "spec.schedule: Invalid value: cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
      ],
    ],
    [
      `timeZone: Nowhere/Else, ${daily}`,
      ["spec.timeZone: Invalid value: unknown time zone Nowhere/Else"],
    ],
    [
      `timeZone: local, ${daily}`,
      [
        "spec.timeZone: Invalid value: timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
        "spec.timeZone: Invalid value: unknown time zone local",
      ],
    ],
    [`timeZone: Europe/Paris, ${daily}`, []],
    [
      `concurrencyPolicy: Queue, startingDeadlineSeconds: -1, failedJobsHistoryLimit: -1, ${daily}`,
      [
        "spec.startingDeadlineSeconds: Invalid value: must be greater than or equal to 0",
        'spec.concurrencyPolicy: Unsupported value: supported values: "Allow", "Forbid", "Replace"',
        "spec.failedJobsHistoryLimit: Invalid value: must be greater than or equal to 0",
      ],
    ],
    [
      daily.replace("{spec: {template", "{spec: {selector: {}, manualSelector: true, template"),
      [
        "spec.jobTemplate.spec.selector: Invalid value: `selector` will be auto-generated",
        'spec.jobTemplate.spec.manualSelector: Unsupported value: supported values: "nil", "false"',
      ],
    ],
  ])("{%s}", (spec, expected) => {
    expect(create(spec)).toEqual(expected);
  });

  test("leaves room in its name for the jobs'", () => {
    expect(create(daily, "a".repeat(52))).toEqual([]);
    expect(create(daily, "a".repeat(53))).toEqual([
      "metadata.name: Invalid value: must be no more than 52 characters",
    ]);
    const long = cronJob(daily, "a".repeat(53));
    expect(cronJobResource.validateUpdate?.(long, long)).toEqual([]);
  });

  test("that has a time zone in its schedule keeps it", () => {
    const old = cronJob(daily.replace("'@daily'", "'TZ=UTC 0 0 * * *'"));
    expect(cronJobResource.validateUpdate?.(old, old)).toEqual([]);
    const both = { ...old, spec: { ...old.spec, timeZone: "Europe/Paris" } };
    expect(shown(cronJobResource.validateUpdate?.(both, old))).toEqual([
      "spec.schedule: Invalid value: cannot use both timeZone field and TZ or CRON_TZ in schedule",
    ]);
  });

  test("is shown with when it was due last", () => {
    const object: CronJob = {
      ...cronJob(daily),
      status: { lastScheduleTime: "1970-01-01T00:00:00Z", active: [{ name: "a" }] },
    };
    const row = cronJobResource.columns.map((column) => column.cell(object, 90_000));
    expect(row).toEqual([
      ...["nightly", "@daily", "<none>", "False", 1, "90s", "<unknown>"],
      ...["work", "busybox", "<none>"],
    ]);
  });
});
