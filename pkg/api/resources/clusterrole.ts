import { ageColumn, nameColumn } from "../columns.ts";
import { type ClusterRole, clusterRoleSchema } from "../generated/rbac-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const clusterRoleResource = defineResource<ClusterRole>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  scope: "cluster",
  schema: clusterRoleSchema,
  nameRule: "path-segment",
  columns: [nameColumn, ageColumn],
});
