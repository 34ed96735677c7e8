import { ageColumn, nameColumn } from "../columns.ts";
import { type Lease, leaseSchema } from "../generated/coordination-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const leaseResource = defineResource<Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  scope: "namespace",
  schema: leaseSchema,
  durability: ({ metadata }) => (metadata.namespace === "kube-node-lease" ? "at-close" : "lazy"),
  columns: [nameColumn, ageColumn],
});
