import { ageColumn, nameColumn } from "../columns.ts";
import { type Endpoints, endpointsSchema } from "../generated/core-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const endpointsResource = defineResource<Endpoints>({
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  scope: "namespace",
  schema: endpointsSchema,
  shortNames: ["ep"],
  columns: [nameColumn, ageColumn],
});
