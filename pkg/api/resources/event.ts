import { ageOf } from "../columns.ts";
import { type Event, eventSchema } from "../generated/core-v1.generated.ts";
import { defineResource } from "../resource.ts";
import { validateEvent } from "../shared/validate-event.ts";

export const eventResource = defineResource<Event>({
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  shortNames: ["ev"],
  scope: "namespace",
  schema: eventSchema,
  durability: () => "lazy",
  // Upstream checks no names of events.
  nameRule: "path-segment",
  validate: (event) => validateEvent(event, "reportingComponent"),
  selectableFields: {
    "involvedObject.kind": ({ involvedObject }) => involvedObject.kind ?? "",
    "involvedObject.namespace": ({ involvedObject }) => involvedObject.namespace ?? "",
    "involvedObject.name": ({ involvedObject }) => involvedObject.name ?? "",
    "involvedObject.uid": ({ involvedObject }) => involvedObject.uid ?? "",
    "involvedObject.apiVersion": ({ involvedObject }) => involvedObject.apiVersion ?? "",
    "involvedObject.resourceVersion": ({ involvedObject }) => involvedObject.resourceVersion ?? "",
    "involvedObject.fieldPath": ({ involvedObject }) => involvedObject.fieldPath ?? "",
    reason: ({ reason }) => reason ?? "",
    reportingComponent: ({ reportingComponent }) => reportingComponent ?? "",
    source: sourceComponent,
    type: ({ type }) => type ?? "",
  },
  columns: [
    {
      name: "Last Seen",
      type: "string",
      description: "When the event happened last.",
      cell: lastSeen,
    },
    { name: "Type", type: "string", description: "Normal or Warning.", cell: (e) => e.type ?? "" },
    {
      name: "Reason",
      type: "string",
      description: "Why it happened, in one word.",
      cell: ({ reason }) => reason ?? "",
    },
    {
      name: "Object",
      type: "string",
      description: "What it happened to.",
      cell({ involvedObject: { kind = "", name = "" } }) {
        return name === "" ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`;
      },
    },
    {
      name: "Subobject",
      type: "string",
      priority: 1,
      description: "The part that it happened to.",
      cell: ({ involvedObject }) => involvedObject.fieldPath ?? "",
    },
    {
      name: "Source",
      type: "string",
      priority: 1,
      description: "Who reports it.",
      cell: printSource,
    },
    {
      name: "Message",
      type: "string",
      description: "What happened.",
      cell: ({ message }) => (message ?? "").trim(),
    },
    {
      name: "First Seen",
      type: "string",
      priority: 1,
      description: "When the event happened first.",
      cell: firstSeen,
    },
    {
      name: "Count",
      type: "string",
      priority: 1,
      description: "How often it has happened.",
      cell: ({ count, series }) => (series === undefined ? count || 1 : (series.count ?? 0)),
    },
    {
      name: "Name",
      type: "string",
      format: "name",
      priority: 1,
      description: "The name of the event.",
      cell: ({ metadata }) => metadata.name,
    },
  ],
});

function sourceComponent({ source, reportingComponent }: Event): string {
  const component = source?.component ?? "";
  return component === "" ? (reportingComponent ?? "") : component;
}

function printSource(event: Event): string {
  const host = event.source?.host || event.reportingInstance || "";
  const component = sourceComponent(event);
  return host === "" ? component : `${component}, ${host}`;
}

function firstSeen({ firstTimestamp, eventTime }: Event, nowMs: number): string {
  return ageOf(firstTimestamp ?? eventTime, nowMs);
}

function lastSeen(event: Event, nowMs: number): string {
  if (event.series !== undefined) return ageOf(event.series.lastObservedTime, nowMs);
  return event.lastTimestamp === undefined
    ? firstSeen(event, nowMs)
    : ageOf(event.lastTimestamp, nowMs);
}
