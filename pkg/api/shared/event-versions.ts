import type * as core from "../generated/core-v1.generated.ts";
import type * as events from "../generated/events-v1.generated.ts";

/** The names of the core group's fields that are called otherwise in `events.k8s.io`, all of which say the same. */
const newerNames = {
  involvedObject: "regarding",
  message: "note",
  reportingComponent: "reportingController",
  source: "deprecatedSource",
  firstTimestamp: "deprecatedFirstTimestamp",
  lastTimestamp: "deprecatedLastTimestamp",
  count: "deprecatedCount",
} as const;

const olderNames: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(newerNames).map(([older, newer]) => [newer, older]),
);

function renamed(object: object, names: Readonly<Record<string, string>>): object {
  return Object.fromEntries(
    Object.entries(object).map(([field, value]) => [
      Object.hasOwn(names, field) ? names[field] : field,
      value,
    ]),
  );
}

/** An event of `events.k8s.io` as the core group's. */
export function eventFromEvents(event: events.Event): core.Event {
  const fields = renamed(event, olderNames) as Partial<core.Event>;
  return {
    reportingComponent: "",
    reportingInstance: "",
    ...fields,
    apiVersion: "v1",
  } as core.Event;
}

/** An event of the core group as one of `events.k8s.io`, which leaves out who reports where nobody says so. */
export function eventToEvents(event: core.Event): events.Event {
  const { reportingComponent, reportingInstance, ...others } = event;
  const reporters = {
    ...(reportingComponent === "" ? {} : { reportingComponent }),
    ...(reportingInstance === "" ? {} : { reportingInstance }),
  };
  const fields = renamed({ ...others, ...reporters }, newerNames) as Partial<events.Event>;
  return { ...fields, apiVersion: "events.k8s.io/v1" } as events.Event;
}
