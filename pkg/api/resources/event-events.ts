import type { Event as StoredEvent } from "../generated/core-v1.generated.ts";
import { type Event, eventSchema } from "../generated/events-v1.generated.ts";
import { defineResource } from "../resource.ts";
import { eventFromEvents, eventToEvents } from "../shared/event-versions.ts";
import { otherVersion } from "../shared/other-version.ts";
import { validateEvent, validateEventUpdate, validateNewEvent } from "../shared/validate-event.ts";
import { eventResource } from "./event.ts";

/** The same events as the core group's, under their newer names, and with stricter rules for whoever writes them. */
export const eventsEventResource = defineResource<Event>({
  ...otherVersion<Event, StoredEvent>(eventResource, {
    group: "events.k8s.io",
    version: "v1",
    schema: eventSchema,
    toStored: eventFromEvents,
    fromStored: eventToEvents,
    selectableFields: {
      reason: ({ reason }) => reason ?? "",
      "regarding.kind": ({ regarding }) => regarding.kind ?? "",
      "regarding.namespace": ({ regarding }) => regarding.namespace ?? "",
      "regarding.name": ({ regarding }) => regarding.name ?? "",
      "regarding.uid": ({ regarding }) => regarding.uid ?? "",
      "regarding.apiVersion": ({ regarding }) => regarding.apiVersion ?? "",
      "regarding.resourceVersion": ({ regarding }) => regarding.resourceVersion ?? "",
      "regarding.fieldPath": ({ regarding }) => regarding.fieldPath ?? "",
      reportingController: ({ reportingController }) => reportingController ?? "",
      type: ({ type }) => type ?? "",
    },
  }),
  nameRule: "dns-subdomain",
  validate: (event) => validateEvent(eventFromEvents(event), "reportingController"),
  validateCreate: (event) => validateNewEvent(eventFromEvents(event)),
  validateUpdate: (next, previous) =>
    validateEventUpdate(eventFromEvents(next), eventFromEvents(previous)),
});
