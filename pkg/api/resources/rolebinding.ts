import { ageColumn, nameColumn } from "../columns.ts";
import { type RoleBinding, roleBindingSchema } from "../generated/rbac-v1.generated.ts";
import { defineResource } from "../resource.ts";
import {
  defaultRoleBinding,
  rbacGroup,
  roleColumn,
  subjectColumns,
  validateRoleBinding,
  validateRoleRefUpdate,
} from "../shared/rbac.ts";

export const roleBindingResource = defineResource<RoleBinding>({
  group: rbacGroup,
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
  scope: "namespace",
  schema: roleBindingSchema,
  nameRule: "path-segment",
  defaults: defaultRoleBinding,
  validate: (binding) => validateRoleBinding(binding, ["Role", "ClusterRole"], true),
  validateUpdate: validateRoleRefUpdate,
  columns: [nameColumn, roleColumn, ageColumn, ...subjectColumns],
});
