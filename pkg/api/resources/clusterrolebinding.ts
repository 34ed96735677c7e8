import { ageColumn, nameColumn } from "../columns.ts";
import {
  type ClusterRoleBinding,
  clusterRoleBindingSchema,
} from "../generated/rbac-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const clusterRoleBindingResource = defineResource<ClusterRoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRoleBinding",
  plural: "clusterrolebindings",
  scope: "cluster",
  schema: clusterRoleBindingSchema,
  nameRule: "path-segment",
  columns: [nameColumn, ageColumn],
});
