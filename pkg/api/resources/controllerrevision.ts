import { ageColumn, nameColumn } from "../columns.ts";
import { required } from "../field-error.ts";
import {
  type ControllerRevision,
  controllerRevisionSchema,
} from "../generated/apps-v1.generated.ts";
import { isJsonObject } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { validateNonNegative } from "../shared/validate-counts.ts";
import { immutable } from "../shared/workload.ts";

export const controllerRevisionResource = defineResource<ControllerRevision>({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  scope: "namespace",
  schema: controllerRevisionSchema,
  validate({ revision }) {
    const errors: FieldError[] = [];
    validateNonNegative(revision, "revision", errors);
    return errors;
  },
  validateCreate({ data }) {
    if (data === undefined || data === null) return [required("data", "data is mandatory")];
    return isJsonObject(data) ? [] : [required("data", "data must be a valid JSON object")];
  },
  validateUpdate: (next, previous) => immutable("data", next.data, previous.data),
  columns: [
    nameColumn,
    {
      name: "Controller",
      type: "string",
      description: "The object whose revision this is.",
      cell({ metadata }) {
        const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
        if (owner === undefined) return "<none>";
        const [group = "", version] = owner.apiVersion.split("/");
        const kind = owner.kind.toLowerCase();
        return `${version === undefined ? kind : `${kind}.${group}`}/${owner.name}`;
      },
    },
    {
      name: "Revision",
      type: "string",
      description: "The number of the revision; a later one is greater.",
      cell: ({ revision }) => revision,
    },
    ageColumn,
  ],
});
