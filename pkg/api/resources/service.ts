import { ageColumn, nameColumn } from "../columns.ts";
import { type Service, serviceSchema } from "../generated/core-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const serviceResource = defineResource<Service>({
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  scope: "namespace",
  schema: serviceSchema,
  shortNames: ["svc"],
  categories: ["all"],
  nameRule: "dns-1035-label",
  subresources: { status: true },
  columns: [nameColumn, ageColumn],
});
