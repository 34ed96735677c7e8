import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "../field-error.ts";
import {
  type StatefulSet,
  type StatefulSetSpec,
  type StatefulSetUpdateStrategy,
  statefulSetSchema,
} from "../generated/apps-v1.generated.ts";
import type { PodTemplateSpec, Volume } from "../generated/core-v1.generated.ts";
import { checkDnsLabel } from "../names.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { claimSpecWarnings, defaultClaimSpec, validateClaimSpec } from "../shared/claim-spec.ts";
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
import { validatePodTemplate } from "../shared/validate-pod-spec.ts";
import {
  containerColumns,
  templateWarnings,
  validateEndless,
  validateTemplateLabels,
  validateWorkloadSelector,
  workloadScale,
} from "../shared/workload.ts";

export const statefulSetResource = defineResource<StatefulSet>({
  group: "apps",
  version: "v1",
  kind: "StatefulSet",
  plural: "statefulsets",
  shortNames: ["sts"],
  categories: ["all"],
  scope: "namespace",
  // Its pods are called after it, and are found under that name in the DNS.
  nameRule: "dns-label",
  schema: statefulSetSchema,
  subresources: { status: true, scale: workloadScale },
  defaults,
  prepareCreate(statefulSet) {
    statefulSet.status = { availableReplicas: 0, replicas: 0 };
    dropMaxUnavailable(statefulSet);
  },
  prepareUpdate(statefulSet, previous) {
    if (previous.spec.updateStrategy.rollingUpdate?.maxUnavailable === undefined) {
      dropMaxUnavailable(statefulSet);
    }
  },
  validate: ({ spec }) => validateSpec(spec),
  validateUpdate,
  validateStatusUpdate,
  warnings: (next, previous) => [
    ...templateWarnings(next, previous),
    ...(next.spec.volumeClaimTemplates ?? []).flatMap(({ spec }, index) =>
      claimSpecWarnings(
        spec,
        // Upstream writes the field's name so in an update.
        `spec.volumeClaimTemplates[${index}]${previous === undefined ? "" : ".Spec"}`,
      ),
    ),
    ...historyWarnings(next.spec.revisionHistoryLimit),
  ],
  columns: [
    nameColumn,
    {
      name: "Ready",
      type: "string",
      description: "How many of the pods that should be there are ready.",
      cell: ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    },
    ageColumn,
    ...containerColumns(({ spec }: StatefulSet) => spec.template),
  ],
});

function defaults({ spec }: Draft<StatefulSet>): void {
  spec.podManagementPolicy ||= "OrderedReady";
  const strategy = spec.updateStrategy;
  if ((strategy.type ?? "") === "") {
    strategy.type = "RollingUpdate";
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === "RollingUpdate" && strategy.rollingUpdate !== undefined) {
    strategy.rollingUpdate.partition ??= 0;
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= "Retain";
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= "Retain";
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  defaultPodSpec(spec.template.spec);
  for (const claim of spec.volumeClaimTemplates ?? []) defaultClaimTemplate(claim);
}

type ClaimTemplate = Draft<NonNullable<StatefulSetSpec["volumeClaimTemplates"]>[number]>;

function defaultClaimTemplate(claim: ClaimTemplate): void {
  claim.apiVersion = "v1";
  claim.kind = "PersistentVolumeClaim";
  defaultClaimSpec(claim.spec);
  claim.status.phase ??= "Pending";
}

/** More than one pod at a time is replaced only where that is switched on, which by default it is not. */
function dropMaxUnavailable({ spec }: Draft<StatefulSet>): void {
  delete spec.updateStrategy.rollingUpdate?.maxUnavailable;
}

function validateSpec(spec: StatefulSetSpec): readonly FieldError[] {
  const errors: FieldError[] = [];
  validatePodManagement(spec.podManagementPolicy ?? "", errors);
  validateUpdateStrategy(spec.updateStrategy, errors);
  for (const field of ["whenDeleted", "whenScaled"] as const) {
    const policy = spec.persistentVolumeClaimRetentionPolicy?.[field] ?? "Retain";
    const path = `spec.persistentVolumeClaimRetentionPolicy.${field}`;
    if (policy !== "Retain" && policy !== "Delete") {
      errors.push(notSupported(path, policy, ["Retain", "Delete"]));
    }
  }
  (spec.volumeClaimTemplates ?? []).forEach((claim, index) => {
    addAll(errors, validateClaimSpec(claim.spec, `spec.volumeClaimTemplates[${index}].spec`));
  });
  validateNonNegative(spec.replicas, "spec.replicas", errors);
  validateNonNegative(spec.minReadySeconds, "spec.minReadySeconds", errors);
  validateNonNegative(spec.ordinals?.start, "spec.ordinals.start", errors);
  if (spec.serviceName !== "") {
    errors.push(
      ...invalidEach("spec.serviceName", spec.serviceName, checkDnsLabel(spec.serviceName)),
    );
  }
  const wording = { emptyFor: "statefulset", unusable: "" };
  if (validateWorkloadSelector(spec.selector, wording, errors)) {
    validateTemplateLabels(spec, errors);
    validatePodTemplate(asPodsHaveIt(spec), "spec.template", errors);
  }
  validateEndless(spec.template, "StatefulSet", errors);
  return errors;
}

function validatePodManagement(policy: string, errors: FieldError[]): void {
  const path = "spec.podManagementPolicy";
  if (policy === "") errors.push(required(path));
  else if (policy !== "OrderedReady" && policy !== "Parallel") {
    errors.push(invalid(path, policy, "must be 'OrderedReady' or 'Parallel'"));
  }
}

function validateUpdateStrategy(strategy: StatefulSetUpdateStrategy, errors: FieldError[]): void {
  const path = "spec.updateStrategy";
  const { type = "", rollingUpdate } = strategy;
  switch (type) {
    case "":
      errors.push(required(path));
      break;
    case "OnDelete":
      if (rollingUpdate !== undefined) {
        errors.push(
          invalid(
            `${path}.rollingUpdate`,
            asGoStrategy(strategy).RollingUpdate,
            "only allowed for updateStrategy 'RollingUpdate'",
          ),
        );
      }
      break;
    case "RollingUpdate":
      validateNonNegative(rollingUpdate?.partition, `${path}.rollingUpdate.partition`, errors);
      if (rollingUpdate?.maxUnavailable !== undefined) {
        validateMaxUnavailable(
          rollingUpdate.maxUnavailable,
          `${path}.rollingUpdate.maxUnavailable`,
          errors,
        );
      }
      break;
    default:
      errors.push(invalid(path, asGoStrategy(strategy), "must be 'RollingUpdate' or 'OnDelete'"));
  }
}

function validateMaxUnavailable(value: number | string, path: string, errors: FieldError[]): void {
  validateIntOrPercent(value, path, errors);
  if (isZeroCount(value)) errors.push(invalid(path, value, "cannot be 0"));
  validateAtMost100Percent(value, path, errors);
}

/** As upstream prints it, which prints a value of its own type. */
function asGoStrategy({ type, rollingUpdate }: StatefulSetUpdateStrategy) {
  const { partition = 0, maxUnavailable = null } = rollingUpdate ?? {};
  return {
    Type: type ?? "",
    RollingUpdate:
      rollingUpdate === undefined ? null : { Partition: partition, MaxUnavailable: maxUnavailable },
  };
}

/** The template as its pods will have it: named and placed in the DNS by the controller, with a volume for each claim. */
function asPodsHaveIt({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec {
  const { subdomain: _, hostname: __, ...spec } = template.spec;
  if (volumeClaimTemplates.length === 0) return { ...template, spec };
  const claimed = new Map<string, Volume>(
    volumeClaimTemplates.map(({ metadata: { name = "" } }) => [
      name,
      { name, persistentVolumeClaim: { claimName: name } },
    ]),
  );
  const others = (spec.volumes ?? []).filter(({ name }) => !claimed.has(name));
  return { ...template, spec: { ...spec, volumes: [...claimed.values(), ...others] } };
}

const updatableFields = [
  "replicas",
  "template",
  "updateStrategy",
  "minReadySeconds",
  "ordinals",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
] as const;

function validateUpdate(next: StatefulSet, previous: StatefulSet): readonly FieldError[] {
  const frozen = (spec: StatefulSetSpec) => {
    const rest: Partial<StatefulSetSpec> = { ...spec };
    for (const field of updatableFields) delete (rest as Record<string, unknown>)[field];
    return rest;
  };
  if (equalJson(frozen(next.spec), frozen(previous.spec))) return [];
  return [
    forbidden(
      "spec",
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ),
  ];
}

function validateStatusUpdate(
  { status }: StatefulSet,
  { status: previous }: StatefulSet,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  validateEachNonNegative(
    status,
    [
      "replicas",
      "readyReplicas",
      "currentReplicas",
      "updatedReplicas",
      "availableReplicas",
      "observedGeneration",
      "collisionCount",
    ],
    "status",
    errors,
  );
  const limited = [
    "readyReplicas",
    "currentReplicas",
    "updatedReplicas",
    "availableReplicas",
  ] as const;
  validateReplicaCounts(status, limited, "status.readyReplicas", errors);
  validateCollisionCount(status, previous, errors);
  return errors;
}

function historyWarnings(limit = 0): readonly string[] {
  if (limit >= 0) return [];
  return [
    "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended",
  ];
}
