import { nameColumn } from "../columns.ts";
import { findCondition } from "../conditions.ts";
import { type ComponentStatus, componentStatusSchema } from "../generated/core-v1.generated.ts";
import { defineResource } from "../resource.ts";

/** Which parts of the control plane are well. Nothing is kept of it: it is answered as it is asked. */
export const componentStatusResource = defineResource<ComponentStatus>({
  group: "",
  version: "v1",
  kind: "ComponentStatus",
  plural: "componentstatuses",
  shortNames: ["cs"],
  scope: "cluster",
  schema: componentStatusSchema,
  verbs: ["get", "list"],
  storage: "none",
  deprecationWarning: "v1 ComponentStatus is deprecated in v1.19+",
  columns: [
    nameColumn,
    {
      name: "Status",
      type: "string",
      description: "Whether the component is well.",
      cell: ({ conditions }) => {
        const health = findCondition(conditions, "Healthy");
        if (health === undefined) return "Unknown";
        return health.status === "True" ? "Healthy" : "Unhealthy";
      },
    },
    {
      name: "Message",
      type: "string",
      description: "What the component says of itself.",
      cell: ({ conditions }) => findCondition(conditions, "Healthy")?.message ?? "",
    },
    {
      name: "Error",
      type: "string",
      description: "Why the component could not be asked.",
      cell: ({ conditions }) => findCondition(conditions, "Healthy")?.error ?? "",
    },
  ],
});
