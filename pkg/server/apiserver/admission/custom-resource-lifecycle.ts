import { ApiError } from "../../../api/api-error.ts";
import { isConditionTrue } from "../../../api/conditions.ts";
import { customResourceDefinitionResource } from "../../../api/resources/customresourcedefinition.ts";
import type { AdmissionPlugin, ObjectReader } from "./admission.ts";

/** Refuses new objects of a custom kind that is being deleted: who empties it must come to an end. */
export function createCustomResourceLifecycle(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "CustomResourceLifecycle",
    admit({ operation, resource, name }) {
      if (operation !== "CREATE" || resource.schema.object.structural === undefined) return;
      const definition = `${resource.plural}.${resource.group}`;
      const crd = reader.get(customResourceDefinitionResource, undefined, definition);
      if (!isConditionTrue(crd?.status?.conditions, "Terminating")) return;
      const why = "create not allowed while custom resource definition is terminating";
      throw ApiError.forbidden(resource, name, why);
    },
  };
}
