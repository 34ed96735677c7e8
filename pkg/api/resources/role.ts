import { ageColumn, nameColumn } from "../columns.ts";
import { type Role, roleSchema } from "../generated/rbac-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const roleResource = defineResource<Role>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "Role",
  plural: "roles",
  scope: "namespace",
  schema: roleSchema,
  nameRule: "path-segment",
  columns: [nameColumn, ageColumn],
});
