import { ageColumn, nameColumn } from "../columns.ts";
import { type Deployment, deploymentSchema } from "../generated/apps-v1.generated.ts";
import { defineResource } from "../resource.ts";
import { workloadScale } from "../shared/workload.ts";

export const deploymentResource = defineResource<Deployment>({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  scope: "namespace",
  schema: deploymentSchema,
  shortNames: ["deploy"],
  categories: ["all"],
  subresources: { status: true, scale: workloadScale },
  columns: [nameColumn, ageColumn],
});
