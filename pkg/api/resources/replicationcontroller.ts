import { ageColumn, nameColumn, printLabels } from "../columns.ts";
import { required } from "../field-error.ts";
import {
  type ReplicationController,
  replicationControllerSchema,
} from "../generated/core-v1.generated.ts";
import { matchesMap } from "../labels.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { defaultPodSpec } from "../shared/pod-spec-defaults.ts";
import { podWarnings } from "../shared/pod-warnings.ts";
import { replicaColumns, validateReplicaStatus } from "../shared/replica-counts.ts";
import { validateNonNegative } from "../shared/validate-counts.ts";
import {
  containerColumns,
  templateLabelsMismatch,
  validateEndlessTemplate,
  workloadNameWarnings,
  workloadScale,
} from "../shared/workload.ts";

export const replicationControllerResource = defineResource<ReplicationController>({
  group: "",
  version: "v1",
  kind: "ReplicationController",
  plural: "replicationcontrollers",
  shortNames: ["rc"],
  categories: ["all"],
  scope: "namespace",
  schema: replicationControllerSchema,
  subresources: {
    status: true,
    scale: { ...workloadScale, labelSelector: (object) => selectorText(object) },
  },
  orphansDependents: true,
  defaults,
  prepareCreate(controller) {
    controller.status = { replicas: 0 };
  },
  generationChanged: (next, previous) => !equalJson(next.spec, previous.spec),
  validate,
  validateStatusUpdate: validateReplicaStatus,
  warnings,
  selectableFields: { "status.replicas": ({ status }) => String(status.replicas) },
  columns: [
    nameColumn,
    ...replicaColumns,
    ageColumn,
    ...containerColumns(({ spec }: ReplicationController) => spec.template),
    {
      name: "Selector",
      type: "string",
      priority: 1,
      description: "Which pods are counted.",
      cell: ({ spec }) => printLabels(spec.selector),
    },
  ],
});

function selectorText(object: object): string {
  const { spec } = object as ReplicationController;
  const none = Object.keys(spec.selector ?? {}).length === 0;
  return none ? "" : printLabels(spec.selector);
}

/** What a controller does not say itself, the labels of its pods say. */
function defaults(controller: Draft<ReplicationController>): void {
  const { metadata, spec } = controller;
  spec.replicas ??= 1;
  if (spec.template === undefined) return;
  const { labels } = spec.template.metadata;
  if (labels !== undefined) {
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
    if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
  }
  defaultPodSpec(spec.template.spec);
}

function validate({ spec }: ReplicationController): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { selector = {}, template } = spec;
  validateNonNegative(spec.minReadySeconds, "spec.minReadySeconds", errors);
  if (Object.keys(selector).length === 0) errors.push(required("spec.selector"));
  validateNonNegative(spec.replicas, "spec.replicas", errors);
  if (template === undefined) {
    errors.push(required("spec.template"));
    return errors;
  }
  const { labels } = template.metadata;
  if (!matchesMap(selector, labels)) errors.push(templateLabelsMismatch(labels));
  validateEndlessTemplate(template, "ReplicationController", errors);
  return errors;
}

function warnings(
  { metadata, spec }: ReplicationController,
  previous: ReplicationController | undefined,
): readonly string[] {
  if (previous !== undefined && previous.metadata.generation === metadata.generation) return [];
  const named = previous === undefined ? workloadNameWarnings(metadata.name) : [];
  if (spec.template === undefined) return named;
  return [...named, ...podWarnings(spec.template, "spec.template")];
}
