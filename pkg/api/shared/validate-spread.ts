import { addAll } from "../../base/add-all.ts";
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
} from "../field-error.ts";
import type { TopologySpreadConstraint } from "../generated/core-v1.generated.ts";
import type { LabelSelector } from "../generated/meta-v1.generated.ts";
import { validateLabelSelector } from "../labels.ts";
import { checkQualifiedName } from "../names.ts";
import type { FieldError } from "../resource.ts";

const unsatisfiable = ["DoNotSchedule", "ScheduleAnyway"];
const nodePolicies = ["Honor", "Ignore"];

export function validateSpread(
  constraints: readonly TopologySpreadConstraint[],
  path: string,
  errors: FieldError[],
): void {
  constraints.forEach((constraint, index) => {
    const at = `${path}[${index}]`;
    const { topologyKey, whenUnsatisfiable, nodeAffinityPolicy, nodeTaintsPolicy } = constraint;
    positive(`${at}.maxSkew`, constraint.maxSkew, errors);
    if (topologyKey === "") errors.push(required(`${at}.topologyKey`, "can not be empty"));
    if (!unsatisfiable.includes(whenUnsatisfiable)) {
      errors.push(notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, unsatisfiable));
    }
    const repeated = constraints
      .slice(index + 1)
      .some(
        (other) =>
          other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable,
      );
    if (repeated) {
      const identity = `{${topologyKey}, ${whenUnsatisfiable}}`;
      errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, identity));
    }
    validateDomains(constraint, `${at}.minDomains`, errors);
    for (const [name, policy] of Object.entries({ nodeAffinityPolicy, nodeTaintsPolicy })) {
      if (policy !== undefined && !nodePolicies.includes(policy)) {
        errors.push(notSupported(`${at}.${name}`, policy, nodePolicies));
      }
    }
    validateLabelKeys(constraint, at, errors);
    addAll(errors, validateLabelSelector(constraint.labelSelector, `${at}.labelSelector`));
  });
}

function validateDomains(
  { minDomains, whenUnsatisfiable }: TopologySpreadConstraint,
  path: string,
  errors: FieldError[],
): void {
  if (minDomains === undefined) return;
  positive(path, minDomains, errors);
  if (whenUnsatisfiable !== "DoNotSchedule") {
    errors.push(
      invalid(
        path,
        minDomains,
        `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`,
      ),
    );
  }
}

function positive(path: string, value: number, errors: FieldError[]): void {
  if (value <= 0) errors.push(invalid(path, value, "must be greater than zero"));
}

interface LabelKeys {
  readonly labelSelector?: LabelSelector;
  readonly matchLabelKeys?: readonly string[];
  readonly mismatchLabelKeys?: readonly string[];
}

/**
 * The keys whose values come from the pod itself. A pod's selector has by now been extended by
 * them, so that only a key that is there twice was also written by the user.
 */
export function validateLabelKeys(
  { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] }: LabelKeys,
  path: string,
  errors: FieldError[],
): void {
  for (const [name, keys] of Object.entries({ matchLabelKeys, mismatchLabelKeys })) {
    if (keys.length > 0 && labelSelector === undefined) {
      errors.push(
        forbidden(`${path}.${name}`, "must not be specified when labelSelector is not set"),
      );
      continue;
    }
    keys.forEach((key, index) => {
      addAll(errors, invalidEach(`${path}.${name}[${index}]`, key, checkQualifiedName(key)));
    });
  }
  const selected = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const index = matchLabelKeys.lastIndexOf(key);
    if (index >= 0 && selected.has(key)) {
      errors.push(
        invalid(`${path}[${index}]`, key, "exists in both matchLabelKeys and labelSelector"),
      );
    }
    selected.add(key);
  }
  matchLabelKeys.forEach((key, index) => {
    if (!mismatchLabelKeys.includes(key)) return;
    errors.push(
      invalid(
        `${path}.matchLabelKeys[${index}]`,
        key,
        "exists in both matchLabelKeys and mismatchLabelKeys",
      ),
    );
  });
}
