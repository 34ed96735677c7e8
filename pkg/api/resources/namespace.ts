import { ageColumn, nameColumn } from "../columns.ts";
import { type Namespace, namespaceSchema } from "../generated/core-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const namespaceResource = defineResource<Namespace>({
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  scope: "cluster",
  schema: namespaceSchema,
  shortNames: ["ns"],
  nameRule: "dns-label",
  subresources: { status: true },
  columns: [nameColumn, ageColumn],
});
