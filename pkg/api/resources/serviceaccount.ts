import { ageColumn, nameColumn } from "../columns.ts";
import { type ServiceAccount, serviceAccountSchema } from "../generated/core-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const serviceAccountResource = defineResource<ServiceAccount>({
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  shortNames: ["sa"],
  scope: "namespace",
  schema: serviceAccountSchema,
  columns: [
    nameColumn,
    {
      name: "Secrets",
      type: "string",
      description: "How many secrets the account names.",
      cell: ({ secrets }) => secrets?.length ?? 0,
    },
    ageColumn,
  ],
});
