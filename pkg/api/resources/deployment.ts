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
import { podSpecWarnings } from "../shared/pod-warnings.ts";
import {
  validateIntOrPercent,
  validateNonNegative,
  validateSelectorUpdate,
  validateWorkload,
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
  // A change of annotations has to reach the ReplicaSets, so it counts as one of the spec.
  generationChanged: (next, previous) =>
    !equalJson(next.spec, previous.spec) ||
    !equalJson(next.metadata.annotations ?? {}, previous.metadata.annotations ?? {}),
  validate,
  validateUpdate: validateSelectorUpdate,
  warnings: ({ spec }) => podSpecWarnings(spec.template.spec, "spec.template.spec"),
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
      type: "integer",
      description: "How many pods are made from the present template.",
      cell: ({ status }) => status.updatedReplicas ?? 0,
    },
    {
      name: "Available",
      type: "integer",
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

function validate(deployment: Deployment): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { spec } = deployment;
  validateWorkload(deployment, "deployment", errors);
  validateStrategy(spec.strategy, errors);
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
      errors.push(notSupported(`${path}.type`, strategy.type ?? "", ["Recreate", "RollingUpdate"]));
  }
}

function validateRollingUpdate(
  { maxSurge, maxUnavailable }: RollingUpdateDeployment,
  path: string,
  errors: FieldError[],
): void {
  validateIntOrPercent(maxUnavailable, `${path}.maxUnavailable`, errors);
  validateIntOrPercent(maxSurge, `${path}.maxSurge`, errors);
  if (isZero(maxUnavailable) && isZero(maxSurge)) {
    errors.push(
      invalid(`${path}.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0"),
    );
  }
  if (typeof maxUnavailable === "string" && Number.parseInt(maxUnavailable, 10) > 100) {
    errors.push(invalid(`${path}.maxUnavailable`, maxUnavailable, "must not be greater than 100%"));
  }
}

function isZero(value: number | string | undefined): boolean {
  return value === undefined || value === 0 || (typeof value === "string" && /^0+%$/.test(value));
}
