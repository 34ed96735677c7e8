import { addAll } from "../../base/add-all.ts";
import { invalid, invalidEach, required } from "../field-error.ts";
import type { Event } from "../generated/core-v1.generated.ts";
import { checkDnsSubdomain, checkQualifiedName } from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";
import { immutable } from "./workload.ts";

const reportedCharactersMax = 128;
const messageCharactersMax = 1_024;

/** What holds for an event in any version; `reporter` is the field by which the version names who reports it. */
export function validateEvent(
  event: Event,
  reporter: "reportingComponent" | "reportingController",
): readonly FieldError[] {
  const errors: FieldError[] = [];
  validatePlace(event, errors);
  // Events of the newer sort say when they happened, and by whom they are told.
  if (hasTime(event)) validateReport(event, reporter, errors);
  const { namespace = "" } = event.metadata;
  addAll(errors, invalidEach("namespace", namespace, checkDnsSubdomain(namespace)));
  return errors;
}

function hasTime({ eventTime }: Pick<Event, "eventTime">): boolean {
  return eventTime !== undefined && eventTime !== "";
}

/** Events lie beside what they are about; those about objects of the cluster in "default". */
function validatePlace(event: Event, errors: FieldError[]): void {
  const about = event.involvedObject.namespace ?? "";
  const own = event.metadata.namespace ?? "";
  const forCluster = hasTime(event) ? ["default", "kube-system"] : ["", "default"];
  const fits = about === "" ? forCluster.includes(own) : hasTime(event) || about === own;
  if (fits) return;
  errors.push(invalid("involvedObject.namespace", about, "does not match event.namespace"));
}

function validateReport(event: Event, reporter: string, errors: FieldError[]): void {
  const { reportingComponent = "", reportingInstance = "", action = "", reason = "" } = event;
  if (reportingComponent === "") errors.push(required(reporter));
  addAll(errors, invalidEach(reporter, reportingComponent, checkQualifiedName(reportingComponent)));
  for (const [field, value] of Object.entries({ reportingInstance, action, reason })) {
    if (value === "") errors.push(required(field));
    validateLength(value, field, reportedCharactersMax, errors);
  }
  validateLength(event.message ?? "", "message", messageCharactersMax, errors);
}

function validateLength(value: string, path: string, max: number, errors: FieldError[]): void {
  if (Buffer.byteLength(value) <= max) return;
  errors.push(invalid(path, "", `can have at most ${max} characters`));
}

/** What a new event of `events.k8s.io` must say, and must leave to events of the older sort. */
export function validateNewEvent(event: Event): readonly FieldError[] {
  const errors: FieldError[] = [...validateSeries(event)];
  if (!hasTime(event)) errors.push(required("eventTime"));
  const { type = "", firstTimestamp, lastTimestamp, count = 0, source } = event;
  if (type !== "Normal" && type !== "Warning") {
    errors.push(invalid("type", "", `has invalid value: ${type}`));
  }
  const older = {
    firstTimestamp: firstTimestamp !== undefined,
    lastTimestamp: lastTimestamp !== undefined,
    count: count !== 0,
    source: (source?.component ?? "") !== "" || (source?.host ?? "") !== "",
  };
  for (const [field, isSet] of Object.entries(older)) {
    if (isSet) errors.push(invalid(field, "", "needs to be unset"));
  }
  return errors;
}

function validateSeries({ series }: Event): readonly FieldError[] {
  if (series === undefined) return [];
  const errors: FieldError[] = [];
  if ((series.count ?? 0) < 2) errors.push(invalid("series.count", "", "should be at least 2"));
  if ((series.lastObservedTime ?? "") === "") errors.push(required("series.lastObservedTime"));
  return errors;
}

const immutableFields = [
  "involvedObject",
  "reason",
  "message",
  "source",
  "firstTimestamp",
  "lastTimestamp",
  "count",
  "reason",
  "type",
  "eventTime",
  "action",
  "related",
] as const satisfies readonly (keyof Event)[];

/** What an update through `events.k8s.io` may change of an event: its series. */
export function validateEventUpdate(next: Event, previous: Event): readonly FieldError[] {
  return [
    ...(equalJson(next.series, previous.series) ? [] : validateSeries(next)),
    ...immutableFields.flatMap((field) => immutable(field, next[field], previous[field])),
    ...immutable("reportingController", next.reportingComponent, previous.reportingComponent),
    ...immutable("reportingInstance", next.reportingInstance, previous.reportingInstance),
  ];
}
