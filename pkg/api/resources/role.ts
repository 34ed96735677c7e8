import { createdAtColumn, nameColumn } from "../columns.ts";
import { type Role, roleSchema } from "../generated/rbac-v1.generated.ts";
import { defineResource } from "../resource.ts";
import { rbacGroup, validateRules } from "../shared/rbac.ts";

export const roleResource = defineResource<Role>({
  group: rbacGroup,
  version: "v1",
  kind: "Role",
  plural: "roles",
  scope: "namespace",
  schema: roleSchema,
  nameRule: "path-segment",
  validate: ({ rules }) => validateRules(rules, "namespace"),
  columns: [nameColumn, createdAtColumn],
});
