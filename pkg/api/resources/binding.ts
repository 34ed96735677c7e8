import { type Binding, bindingSchema } from "../generated/core-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const bindingResource = defineResource<Binding>({
  group: "",
  version: "v1",
  kind: "Binding",
  plural: "bindings",
  scope: "namespace",
  schema: bindingSchema,
  verbs: ["create"],
  storage: "none",
});
