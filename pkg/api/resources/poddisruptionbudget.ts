import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { invalid, notSupported } from "../field-error.ts";
import {
  type PodDisruptionBudget,
  podDisruptionBudgetSchema,
} from "../generated/policy-v1.generated.ts";
import { validateLabelSelector } from "../labels.ts";
import { defineResource, type FieldError } from "../resource.ts";
import {
  validateAtMost100Percent,
  validateEachNonNegative,
  validateIntOrPercent,
} from "../shared/validate-counts.ts";
import { validateMetaConditions } from "../shared/validate-meta-conditions.ts";

export const podDisruptionBudgetResource = defineResource<PodDisruptionBudget>({
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  shortNames: ["pdb"],
  scope: "namespace",
  nameRule: "path-segment",
  schema: podDisruptionBudgetSchema,
  subresources: { status: true },
  prepareCreate(budget) {
    budget.status = {
      currentHealthy: 0,
      desiredHealthy: 0,
      disruptionsAllowed: 0,
      expectedPods: 0,
    };
  },
  validate,
  validateStatusUpdate({ status }) {
    const errors: FieldError[] = [
      ...validateMetaConditions(status.conditions, "status.conditions"),
    ];
    const counts = [
      "disruptionsAllowed",
      "currentHealthy",
      "desiredHealthy",
      "expectedPods",
    ] as const;
    validateEachNonNegative(status, counts, "status", errors);
    return errors;
  },
  columns: [
    nameColumn,
    {
      name: "Min Available",
      type: "string",
      description: "How many pods must stay when others are evicted.",
      cell: ({ spec }) => printCount(spec.minAvailable),
    },
    {
      name: "Max Unavailable",
      type: "string",
      description: "How many pods may be missing when one is evicted.",
      cell: ({ spec }) => printCount(spec.maxUnavailable),
    },
    {
      name: "Allowed Disruptions",
      type: "integer",
      description: "How many pods may be evicted now.",
      cell: ({ status }) => status.disruptionsAllowed,
    },
    ageColumn,
  ],
});

function printCount(count: number | string | undefined): string {
  return count === undefined ? "N/A" : String(count);
}

const evictionPolicies = ["AlwaysAllow", "IfHealthyBudget"];

function validate({ spec }: PodDisruptionBudget): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    // Upstream prints a value of its own type.
    const printed = {
      MinAvailable: minAvailable,
      Selector: spec.selector ?? null,
      MaxUnavailable: maxUnavailable,
      UnhealthyPodEvictionPolicy: policy ?? null,
    };
    errors.push(invalid("spec", printed, "minAvailable and maxUnavailable cannot be both set"));
  }
  validateIntOrPercent(minAvailable, "spec.minAvailable", errors);
  validateAtMost100Percent(minAvailable, "spec.minAvailable", errors);
  validateIntOrPercent(maxUnavailable, "spec.maxUnavailable", errors);
  validateAtMost100Percent(maxUnavailable, "spec.maxUnavailable", errors);
  addAll(errors, validateLabelSelector(spec.selector, "spec.selector"));
  if (policy !== undefined && !evictionPolicies.includes(policy)) {
    errors.push(notSupported("spec.unhealthyPodEvictionPolicy", policy, evictionPolicies));
  }
  return errors;
}
