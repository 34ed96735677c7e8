import { ageColumn, nameColumn } from "../columns.ts";
import { immutableDetail, invalid, required } from "../field-error.ts";
import {
  type ControllerRevision,
  controllerRevisionSchema,
} from "../generated/apps-v1.generated.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";

export const controllerRevisionResource = defineResource<ControllerRevision>({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  scope: "namespace",
  schema: controllerRevisionSchema,
  validate({ data, revision }) {
    const errors: FieldError[] = [];
    if (data === undefined || data === null) errors.push(required("data", "data is mandatory"));
    if (revision < 0) {
      errors.push(invalid("revision", revision, "must be greater than or equal to 0"));
    }
    return errors;
  },
  validateUpdate: (next, previous) =>
    equalJson(next.data, previous.data) ? [] : [invalid("data", next.data, immutableDetail)],
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
      type: "integer",
      description: "The number of the revision; a later one is greater.",
      cell: ({ revision }) => revision,
    },
    ageColumn,
  ],
});
