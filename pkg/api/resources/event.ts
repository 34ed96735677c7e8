import { ageColumn, nameColumn } from "../columns.ts";
import { type Event, eventSchema } from "../generated/core-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const eventResource = defineResource<Event>({
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  scope: "namespace",
  schema: eventSchema,
  shortNames: ["ev"],
  durability: () => "lazy",
  columns: [nameColumn, ageColumn],
});
