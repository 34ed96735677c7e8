import { ageColumn, nameColumn } from "../columns.ts";
import { type ReplicaSet, replicaSetSchema } from "../generated/apps-v1.generated.ts";
import { defineResource } from "../resource.ts";
import { workloadScale } from "../shared/workload.ts";

export const replicaSetResource = defineResource<ReplicaSet>({
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  scope: "namespace",
  schema: replicaSetSchema,
  shortNames: ["rs"],
  categories: ["all"],
  subresources: { status: true, scale: workloadScale },
  columns: [nameColumn, ageColumn],
});
