import { ageColumn, nameColumn } from "../columns.ts";
import { type Node, nodeSchema } from "../generated/core-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const nodeResource = defineResource<Node>({
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  scope: "cluster",
  schema: nodeSchema,
  shortNames: ["no"],
  subresources: { status: true },
  columns: [nameColumn, ageColumn],
});
