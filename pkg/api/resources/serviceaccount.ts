import { ageColumn, nameColumn } from "../columns.ts";
import { type ServiceAccount, serviceAccountSchema } from "../generated/core-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const serviceAccountResource = defineResource<ServiceAccount>({
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  scope: "namespace",
  schema: serviceAccountSchema,
  shortNames: ["sa"],
  columns: [nameColumn, ageColumn],
});
