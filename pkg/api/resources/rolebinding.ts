import { ageColumn, nameColumn } from "../columns.ts";
import { type RoleBinding, roleBindingSchema } from "../generated/rbac-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const roleBindingResource = defineResource<RoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
  scope: "namespace",
  schema: roleBindingSchema,
  nameRule: "path-segment",
  columns: [nameColumn, ageColumn],
});
