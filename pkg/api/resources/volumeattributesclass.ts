import { ageColumn, nameColumn } from "../columns.ts";
import { forbidden, required } from "../field-error.ts";
import {
  type VolumeAttributesClass,
  volumeAttributesClassSchema,
} from "../generated/storage-v1.generated.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { validateProvisioner, validateProvisionerParameters } from "../shared/provisioner.ts";

export const volumeAttributesClassResource = defineResource<VolumeAttributesClass>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttributesClass",
  plural: "volumeattributesclasses",
  shortNames: ["vac"],
  scope: "cluster",
  schema: volumeAttributesClassSchema,
  validate: ({ driverName, parameters }) => [
    ...validateProvisioner(driverName, "driverName"),
    ...validateProvisionerParameters(parameters, "parameters"),
    ...(Object.keys(parameters ?? {}).length > 0
      ? []
      : [required("parameters", "must contain at least one key/value pair")]),
  ],
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    if (next.driverName !== previous.driverName) {
      errors.push(forbidden("driverName", "updates to driverName are forbidden."));
    }
    if (!equalJson(next.parameters, previous.parameters)) {
      errors.push(forbidden("parameters", "updates to parameters are forbidden."));
    }
    return errors;
  },
  columns: [
    nameColumn,
    {
      name: "DriverName",
      type: "string",
      description: "The driver that the attributes are of.",
      cell: ({ driverName }) => driverName,
    },
    ageColumn,
  ],
});
