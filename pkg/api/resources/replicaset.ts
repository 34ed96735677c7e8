import { ageColumn, nameColumn } from "../columns.ts";
import { type ReplicaSet, replicaSetSchema } from "../generated/apps-v1.generated.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { defaultPodSpec } from "../shared/pod-spec-defaults.ts";
import { replicaColumns, validateReplicaStatus } from "../shared/replica-counts.ts";
import { validateNonNegative } from "../shared/validate-counts.ts";
import {
  namedTemplateWarnings,
  validateReplicaSelection,
  validateSelectorUpdate,
  workloadScale,
  workloadWideColumns,
} from "../shared/workload.ts";

export const replicaSetResource = defineResource<ReplicaSet>({
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  shortNames: ["rs"],
  categories: ["all"],
  scope: "namespace",
  schema: replicaSetSchema,
  subresources: { status: true, scale: workloadScale },
  defaults({ spec }) {
    spec.replicas ??= 1;
    defaultPodSpec(spec.template.spec);
  },
  prepareCreate(replicaSet) {
    replicaSet.status = { replicas: 0 };
  },
  validate,
  validateUpdate: validateSelectorUpdate,
  validateStatusUpdate: validateReplicaStatus,
  warnings: namedTemplateWarnings,
  selectableFields: { "status.replicas": ({ status }) => String(status.replicas) },
  columns: [nameColumn, ...replicaColumns, ageColumn, ...workloadWideColumns],
});

function validate({ spec }: ReplicaSet): readonly FieldError[] {
  const errors: FieldError[] = [];
  validateNonNegative(spec.replicas, "spec.replicas", errors);
  validateNonNegative(spec.minReadySeconds, "spec.minReadySeconds", errors);
  validateReplicaSelection(spec, errors);
  return errors;
}
