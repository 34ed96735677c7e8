import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { forbidden, immutableDetail, invalid } from "../field-error.ts";
import {
  type ResourceClaimTemplate,
  type ResourceClaimTemplateSpec,
  resourceClaimTemplateSchema,
} from "../generated/resource-v1.generated.ts";
import { validateLabels } from "../labels.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { defaultDeviceClaim, validateDeviceClaim } from "../shared/device-claim.ts";
import { validateAnnotations } from "../shared/validate-annotations.ts";

export const resourceClaimTemplateResource = defineResource<ResourceClaimTemplate>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceClaimTemplate",
  plural: "resourceclaimtemplates",
  scope: "namespace",
  schema: resourceClaimTemplateSchema,
  defaults: ({ spec }) => defaultDeviceClaim(spec.spec.devices),
  validate: ({ spec }) => [
    ...validateMetadata(spec.metadata, "spec.metadata"),
    ...validateDeviceClaim(spec.spec.devices, "spec.spec.devices"),
  ],
  validateUpdate: (next, previous) =>
    equalJson(next.spec, previous.spec) ? [] : [invalid("spec", next.spec, immutableDetail)],
  columns: [nameColumn, ageColumn],
});

/** What is made from the template gets these, and nothing else can be said of it. */
const templateFields: ReadonlySet<string> = new Set(["annotations", "labels"]);

function validateMetadata(
  metadata: ResourceClaimTemplateSpec["metadata"] | undefined,
  path: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  validateAnnotations(metadata?.annotations, `${path}.annotations`, errors);
  addAll(errors, validateLabels(metadata?.labels, `${path}.labels`));
  for (const [field, value] of Object.entries(metadata ?? {})) {
    const isSet = value !== undefined && value !== null && value !== "";
    if (isSet && !templateFields.has(field)) {
      errors.push(forbidden(`${path}.${field}`, "cannot be set"));
    }
  }
  return errors;
}
