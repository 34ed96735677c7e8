import { ageColumn, nameColumn } from "../columns.ts";
import { type Secret, secretSchema } from "../generated/core-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const secretResource = defineResource<Secret>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  scope: "namespace",
  schema: secretSchema,
  columns: [nameColumn, ageColumn],
});
