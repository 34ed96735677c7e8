import { ageColumn, nameColumn } from "../columns.ts";
import { invalid } from "../field-error.ts";
import { type DeviceClass, deviceClassSchema } from "../generated/resource-v1.generated.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { validateItems } from "../shared/bounded-lists.ts";
import {
  deviceConfigsMax,
  validateDeviceConfiguration,
  validateDeviceSelectors,
} from "../shared/device-claim.ts";
import { isExtendedResource } from "../shared/resource-names.ts";

export const deviceClassResource = defineResource<DeviceClass>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "DeviceClass",
  plural: "deviceclasses",
  scope: "cluster",
  schema: deviceClassSchema,
  generationChanged: (next, previous) => !equalJson(next.spec, previous.spec),
  validate({ spec }) {
    const errors: FieldError[] = [];
    const { selectors, config, extendedResourceName: name } = spec;
    validateDeviceSelectors(selectors, "spec.selectors", errors);
    validateItems(config, deviceConfigsMax, "spec.config", errors, validateDeviceConfiguration);
    if (name !== undefined && !isExtendedResource(name)) {
      errors.push(
        invalid("spec.extendedResourceName", name, "must be a valid extended resource name"),
      );
    }
    return errors;
  },
  columns: [nameColumn, ageColumn],
});
