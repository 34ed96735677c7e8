import { ageColumn, nameColumn } from "../columns.ts";
import {
  type ControllerRevision,
  controllerRevisionSchema,
} from "../generated/apps-v1.generated.ts";
import { defineResource } from "../resource.ts";

export const controllerRevisionResource = defineResource<ControllerRevision>({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  scope: "namespace",
  schema: controllerRevisionSchema,
  columns: [nameColumn, ageColumn],
});
