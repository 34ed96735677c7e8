import { notSupported, required } from "../field-error.ts";
import { type Binding, bindingSchema } from "../generated/core-v1.generated.ts";
import { defineResource, type FieldError } from "../resource.ts";

export const bindingResource = defineResource<Binding>({
  group: "",
  version: "v1",
  kind: "Binding",
  plural: "bindings",
  scope: "namespace",
  schema: bindingSchema,
  verbs: ["create"],
  storage: "none",
  validate({ target }) {
    const errors: FieldError[] = [];
    const kind = target.kind ?? "";
    if (kind !== "" && kind !== "Node") {
      errors.push(notSupported("target.kind", kind, ["Node", "<empty>"]));
    }
    if ((target.name ?? "") === "") errors.push(required("target.name"));
    return errors;
  },
});
