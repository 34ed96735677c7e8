import { ageColumn, nameColumn } from "../columns.ts";
import { type Pod, podSchema } from "../generated/core-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const podResource = defineResource<Pod>({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  scope: "namespace",
  schema: podSchema,
  shortNames: ["po"],
  categories: ["all"],
  subresources: { status: true },
  columns: [nameColumn, ageColumn],
});
