import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn, printLabels } from "../columns.ts";
import { invalid, notSupported, required } from "../field-error.ts";
import {
  type DaemonSet,
  type DaemonSetStatus,
  type DaemonSetUpdateStrategy,
  daemonSetSchema,
  type RollingUpdateDaemonSet,
} from "../generated/apps-v1.generated.ts";
import { validateLabelSelector } from "../labels.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import { type Column, defineResource, type FieldError } from "../resource.ts";
import { defaultPodSpec } from "../shared/pod-spec-defaults.ts";
import {
  isZeroCount,
  validateAtMost100Percent,
  validateCollisionCount,
  validateEachNonNegative,
  validateIntOrPercent,
  validateNonNegative,
} from "../shared/validate-counts.ts";
import {
  goStrategy,
  templateWarnings,
  validateEndlessTemplate,
  validateNotEmpty,
  validateSelectorUpdate,
  validateTemplateLabels,
  workloadWideColumns,
} from "../shared/workload.ts";

export const daemonSetResource = defineResource<DaemonSet>({
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  plural: "daemonsets",
  shortNames: ["ds"],
  categories: ["all"],
  scope: "namespace",
  schema: daemonSetSchema,
  subresources: { status: true },
  defaults,
  prepareCreate(daemonSet) {
    daemonSet.status = {
      currentNumberScheduled: 0,
      desiredNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
    };
    setTemplateGeneration(daemonSet, Math.max(1, templateGenerationOf(daemonSet)));
  },
  prepareUpdate(daemonSet, previous) {
    const changed = !equalJson(daemonSet.spec.template, previous.spec.template);
    setTemplateGeneration(daemonSet, templateGenerationOf(previous) + (changed ? 1 : 0));
  },
  validate,
  validateUpdate: validateSelectorUpdate,
  validateStatusUpdate,
  warnings: templateWarnings,
  columns: [
    nameColumn,
    count("Desired", "How many nodes should run a pod.", "desiredNumberScheduled"),
    count("Current", "How many nodes that should run a pod have one.", "currentNumberScheduled"),
    count("Ready", "On how many nodes the pod is ready.", "numberReady"),
    count(
      "Up-to-date",
      "On how many nodes the pod is made from the present template.",
      "updatedNumberScheduled",
    ),
    count(
      "Available",
      "On how many nodes the pod has been ready for long enough.",
      "numberAvailable",
    ),
    {
      name: "Node Selector",
      type: "string",
      description: "The labels of the nodes that may run the pods.",
      cell: ({ spec }) => printLabels(spec.template.spec.nodeSelector),
    },
    ageColumn,
    ...workloadWideColumns,
  ],
});

type CountField = {
  [Field in keyof DaemonSetStatus]-?: DaemonSetStatus[Field] extends number | undefined
    ? Field
    : never;
}[keyof DaemonSetStatus];

function count(name: string, description: string, field: CountField): Column<DaemonSet> {
  return { name, type: "integer", description, cell: ({ status }) => status[field] ?? 0 };
}

/** Once a field of the spec; now an annotation that the server alone counts. */
const templateGeneration = "deprecated.daemonset.template.generation";

function templateGenerationOf({ metadata }: Pick<DaemonSet, "metadata">): number {
  const text = metadata.annotations?.[templateGeneration] ?? "";
  return /^[+-]?[0-9]{1,15}$/.test(text) ? Number.parseInt(text, 10) : 0;
}

function setTemplateGeneration({ metadata }: Draft<DaemonSet>, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [templateGeneration]: String(generation) };
}

function defaults(daemonSet: Draft<DaemonSet>): void {
  const { spec } = daemonSet;
  spec.updateStrategy.type ||= "RollingUpdate";
  if (spec.updateStrategy.type === "RollingUpdate") {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  defaultPodSpec(spec.template.spec);
  // Whoever writes the object comes to own the annotation, as if it had been sent.
  setTemplateGeneration(daemonSet, templateGenerationOf(daemonSet as DaemonSet));
}

function validate({ spec }: DaemonSet): readonly FieldError[] {
  const errors: FieldError[] = [];
  const problems = validateLabelSelector(spec.selector, "spec.selector");
  addAll(errors, problems);
  if (problems.length === 0) validateTemplateLabels(spec, errors);
  const selector = spec.selector as DaemonSet["spec"]["selector"] | undefined;
  if (selector !== undefined) validateNotEmpty(selector, "daemonset", errors);
  validateEndlessTemplate(spec.template, "DaemonSet", errors);
  validateNonNegative(spec.minReadySeconds, "spec.minReadySeconds", errors);
  validateUpdateStrategy(spec.updateStrategy, errors);
  validateNonNegative(spec.revisionHistoryLimit, "spec.revisionHistoryLimit", errors);
  return errors;
}

function validateUpdateStrategy(strategy: DaemonSetUpdateStrategy, errors: FieldError[]): void {
  const path = "spec.updateStrategy";
  switch (strategy.type) {
    case "OnDelete":
      break;
    case "RollingUpdate":
      if (strategy.rollingUpdate === undefined) errors.push(required(`${path}.rollingUpdate`));
      else validateRollingUpdate(strategy.rollingUpdate, `${path}.rollingUpdate`, errors);
      break;
    default:
      errors.push(notSupported(path, goStrategy(strategy), ["RollingUpdate", "OnDelete"]));
  }
}

/** On each node the new pod starts before the old one ends, or after it: one of both. */
function validateRollingUpdate(
  { maxSurge, maxUnavailable }: RollingUpdateDaemonSet,
  path: string,
  errors: FieldError[],
): void {
  validateIntOrPercent(maxUnavailable, `${path}.maxUnavailable`, errors);
  validateIntOrPercent(maxSurge, `${path}.maxSurge`, errors);
  validateAtMost100Percent(maxUnavailable, `${path}.maxUnavailable`, errors);
  validateAtMost100Percent(maxSurge, `${path}.maxSurge`, errors);
  const noneUnavailable = isZeroCount(maxUnavailable);
  const noSurge = isZeroCount(maxSurge);
  if (!noneUnavailable && !noSurge) {
    errors.push(
      invalid(`${path}.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero"),
    );
  } else if (noneUnavailable && noSurge) {
    errors.push(required(`${path}.maxUnavailable`, "cannot be 0 when maxSurge is 0"));
  }
}

function validateStatusUpdate(
  { status }: DaemonSet,
  { status: previous }: DaemonSet,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  validateEachNonNegative(
    status,
    [
      "currentNumberScheduled",
      "numberMisscheduled",
      "desiredNumberScheduled",
      "numberReady",
      "observedGeneration",
      "updatedNumberScheduled",
      "numberAvailable",
      "numberUnavailable",
      "collisionCount",
    ],
    "status",
    errors,
  );
  validateCollisionCount(status, previous, errors);
  return errors;
}
