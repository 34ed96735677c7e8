import { ageColumn, nameColumn } from "../columns.ts";
import { forbidden, invalid, notSupported, required } from "../field-error.ts";
import {
  type Deployment,
  type DeploymentStrategy,
  deploymentSchema,
  type RollingUpdateDeployment,
} from "../generated/apps-v1.generated.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { defaultPodSpec } from "../shared/pod-spec-defaults.ts";
import {
  isZeroCount,
  validateAtMost100Percent,
  validateCollisionCount,
  validateEachNonNegative,
  validateIntOrPercent,
  validateNonNegative,
  validateReplicaCounts,
} from "../shared/validate-counts.ts";
import {
  goStrategy,
  namedTemplateWarnings,
  validateReplicaSelection,
  validateSelectorUpdate,
  workloadScale,
  workloadWideColumns,
} from "../shared/workload.ts";

export const deploymentResource = defineResource<Deployment>({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  shortNames: ["deploy"],
  categories: ["all"],
  scope: "namespace",
  schema: deploymentSchema,
  subresources: { status: true, scale: workloadScale },
  defaults,
  prepareCreate(deployment) {
    deployment.status = {};
  },
  // Pods are counted by labels; those of the Deployment itself are its owner's.
  prepareStatusUpdate({ metadata }, { metadata: { labels } }) {
    if (labels === undefined) delete metadata.labels;
    else metadata.labels = { ...labels };
  },
  resetFields: {
    "": [["status"]],
    status: [["spec"], ["metadata", "labels"]],
  },
  // A change of annotations has to reach the ReplicaSets, so it counts as one of the spec.
  generationChanged: (next, previous) =>
    !equalJson(next.spec, previous.spec) ||
    !equalJson(next.metadata.annotations ?? {}, previous.metadata.annotations ?? {}),
  validate,
  validateUpdate: validateSelectorUpdate,
  validateStatusUpdate,
  warnings: namedTemplateWarnings,
  columns: [
    nameColumn,
    {
      name: "Ready",
      type: "string",
      description: "How many of the pods that should be there are ready.",
      cell: ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    },
    {
      name: "Up-to-date",
      type: "string",
      description: "How many pods are made from the present template.",
      cell: ({ status }) => status.updatedReplicas ?? 0,
    },
    {
      name: "Available",
      type: "string",
      description: "How many pods have been ready for long enough.",
      cell: ({ status }) => status.availableReplicas ?? 0,
    },
    ageColumn,
    ...workloadWideColumns,
  ],
});

function defaults({ spec }: Draft<Deployment>): void {
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  spec.strategy ??= {};
  spec.strategy.type ||= "RollingUpdate";
  if (spec.strategy.type === "RollingUpdate") {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= "25%";
    spec.strategy.rollingUpdate.maxSurge ??= "25%";
  }
  defaultPodSpec(spec.template.spec);
}

function validate({ spec }: Deployment): readonly FieldError[] {
  const errors: FieldError[] = [];
  validateNonNegative(spec.replicas, "spec.replicas", errors);
  validateReplicaSelection(spec, errors);
  validateStrategy(spec.strategy, errors);
  validateNonNegative(spec.minReadySeconds, "spec.minReadySeconds", errors);
  validateNonNegative(spec.revisionHistoryLimit, "spec.revisionHistoryLimit", errors);
  const deadline = spec.progressDeadlineSeconds;
  validateNonNegative(deadline, "spec.progressDeadlineSeconds", errors);
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    errors.push(
      invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"),
    );
  }
  return errors;
}

function validateStrategy(strategy: DeploymentStrategy, errors: FieldError[]): void {
  const path = "spec.strategy";
  switch (strategy.type) {
    case "Recreate":
      if (strategy.rollingUpdate !== undefined) {
        errors.push(
          forbidden(
            `${path}.rollingUpdate`,
            "may not be specified when strategy `type` is 'Recreate'",
          ),
        );
      }
      break;
    case "RollingUpdate":
      if (strategy.rollingUpdate === undefined) {
        errors.push(required(`${path}.rollingUpdate`, "this should be defaulted and never be nil"));
      } else validateRollingUpdate(strategy.rollingUpdate, `${path}.rollingUpdate`, errors);
      break;
    default:
      errors.push(notSupported(path, goStrategy(strategy), ["Recreate", "RollingUpdate"]));
  }
}

function validateRollingUpdate(
  { maxSurge, maxUnavailable }: RollingUpdateDeployment,
  path: string,
  errors: FieldError[],
): void {
  validateIntOrPercent(maxUnavailable, `${path}.maxUnavailable`, errors);
  validateIntOrPercent(maxSurge, `${path}.maxSurge`, errors);
  if (isZeroCount(maxUnavailable) && isZeroCount(maxSurge)) {
    errors.push(
      invalid(`${path}.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0"),
    );
  }
  validateAtMost100Percent(maxUnavailable, `${path}.maxUnavailable`, errors);
}

function validateStatusUpdate(
  { status }: Deployment,
  { status: previous }: Deployment,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  validateEachNonNegative(
    status,
    [
      "observedGeneration",
      "replicas",
      "updatedReplicas",
      "readyReplicas",
      "availableReplicas",
      "unavailableReplicas",
      "terminatingReplicas",
      "collisionCount",
    ],
    "status",
    errors,
  );
  const limited = ["updatedReplicas", "readyReplicas", "availableReplicas"] as const;
  validateReplicaCounts(status, limited, "readyReplicas", errors);
  validateCollisionCount(status, previous, errors);
  return errors;
}
