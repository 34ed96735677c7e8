import { ageColumn, nameColumn } from "../columns.ts";
import {
  type ClusterRoleBinding,
  clusterRoleBindingSchema,
} from "../generated/rbac-v1.generated.ts";
import { defineResource } from "../resource.ts";
import {
  defaultRoleBinding,
  rbacGroup,
  roleColumn,
  subjectColumns,
  validateRoleBinding,
  validateRoleRefUpdate,
} from "../shared/rbac.ts";

export const clusterRoleBindingResource = defineResource<ClusterRoleBinding>({
  group: rbacGroup,
  version: "v1",
  kind: "ClusterRoleBinding",
  plural: "clusterrolebindings",
  scope: "cluster",
  schema: clusterRoleBindingSchema,
  nameRule: "path-segment",
  defaults: defaultRoleBinding,
  validate: (binding) => validateRoleBinding(binding, ["ClusterRole"], false),
  validateUpdate: validateRoleRefUpdate,
  columns: [nameColumn, roleColumn, ageColumn, ...subjectColumns],
});
