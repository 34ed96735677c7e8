import { ageColumn, nameColumn } from "../columns.ts";
import { type EndpointSlice, endpointSliceSchema } from "../generated/discovery-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const endpointSliceResource = defineResource<EndpointSlice>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  scope: "namespace",
  schema: endpointSliceSchema,
  columns: [nameColumn, ageColumn],
});
