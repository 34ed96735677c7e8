import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { invalid } from "../field-error.ts";
import { type ConfigMap, configMapSchema } from "../generated/core-v1.generated.ts";
import { defineResource, type FieldError } from "../resource.ts";
import {
  base64Bytes,
  textBytes,
  validateDataImmutable,
  validateDataKeys,
  validateDataSize,
} from "../shared/data-map.ts";

export const configMapResource = defineResource<ConfigMap>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  shortNames: ["cm"],
  scope: "namespace",
  schema: configMapSchema,
  validate,
  validateUpdate: validateDataImmutable,
  columns: [
    nameColumn,
    {
      name: "Data",
      type: "string",
      description: "How many keys there are.",
      cell: ({ data, binaryData }) =>
        Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    },
    ageColumn,
  ],
});

/** As upstream prints a path without a name. */
const wholeObject = "[]";

function validate({ data, binaryData }: ConfigMap): readonly FieldError[] {
  const errors: FieldError[] = [...validateDataKeys(data, "data")];
  for (const key in data) {
    if (binaryData !== undefined && Object.hasOwn(binaryData, key)) {
      errors.push(invalid(`data[${key}]`, key, "duplicate of key present in binaryData"));
    }
  }
  addAll(errors, validateDataKeys(binaryData, "binaryData"));
  addAll(errors, validateDataSize(textBytes(data) + base64Bytes(binaryData), wholeObject));
  return errors;
}
