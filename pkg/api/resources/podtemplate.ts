import { nameColumn, printLabels } from "../columns.ts";
import { type PodTemplate, podTemplateSchema } from "../generated/core-v1.generated.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { defaultPodSpec } from "../shared/pod-spec-defaults.ts";
import { podWarnings } from "../shared/pod-warnings.ts";
import { validatePodTemplate } from "../shared/validate-pod-spec.ts";
import { containerColumns } from "../shared/workload.ts";

export const podTemplateResource = defineResource<PodTemplate>({
  group: "",
  version: "v1",
  kind: "PodTemplate",
  plural: "podtemplates",
  scope: "namespace",
  schema: podTemplateSchema,
  defaults: ({ template }) => defaultPodSpec(template.spec),
  generationChanged: (next, previous) => !equalJson(next.template, previous.template),
  validate({ template }) {
    const errors: FieldError[] = [];
    validatePodTemplate(template, "template", errors);
    return errors;
  },
  warnings({ metadata, template }, previous) {
    if (previous !== undefined && previous.metadata.generation === metadata.generation) return [];
    return podWarnings(template, "template");
  },
  columns: [
    nameColumn,
    ...containerColumns(({ template }: PodTemplate) => template, 0),
    {
      name: "Pod Labels",
      type: "string",
      description: "The labels of the pods made from the template.",
      cell: ({ template }) => printLabels(template.metadata.labels),
    },
  ],
});
