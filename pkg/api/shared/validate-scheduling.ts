import { addAll } from "../../base/add-all.ts";
import {
  duplicate,
  invalid,
  invalidEach,
  isEnough,
  notSupported,
  required,
} from "../field-error.ts";
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  PodAntiAffinity,
  Taint,
  Toleration,
} from "../generated/core-v1.generated.ts";
import { validateLabelSelector, validateValueCount } from "../labels.ts";
import { checkDnsLabel, checkDnsSubdomain, checkLabelValue, checkQualifiedName } from "../names.ts";
import type { FieldError } from "../resource.ts";
import { validateLabelKeys } from "./validate-spread.ts";

const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

export function validateTolerations(
  tolerations: readonly Toleration[],
  path: string,
  errors: FieldError[],
): void {
  tolerations.forEach((toleration, index) => {
    const at = `${path}[${index}]`;
    const { key = "", operator = "", value = "", effect = "" } = toleration;
    if (key !== "") addAll(errors, invalidEach(`${at}.key`, key, checkQualifiedName(key)));
    else if (operator !== "Exists") {
      errors.push(
        invalid(
          `${at}.operator`,
          operator,
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    }
    if (toleration.tolerationSeconds !== undefined && effect !== "NoExecute") {
      errors.push(
        invalid(
          `${at}.effect`,
          effect,
          "effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
      );
    }
    validateTolerationOperator(operator, value, at, errors);
    if (effect !== "" && !effects.includes(effect)) {
      errors.push(notSupported(`${at}.effect`, effect, effects));
    }
  });
}

function validateTolerationOperator(
  operator: string,
  value: string,
  path: string,
  errors: FieldError[],
): void {
  switch (operator) {
    case "":
    case "Equal": {
      const problems = checkLabelValue(value);
      if (problems.length > 0) {
        errors.push(invalid(`${path}.operator`, value, problems.join(";")));
      }
      break;
    }
    case "Exists":
      if (value !== "") {
        errors.push(
          invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"),
        );
      }
      break;
    case "Gt":
    case "Lt":
      // Upstream's feature TaintTolerationComparisonOperators, which is off unless asked for.
      errors.push(notSupported(`${path}.operator`, operator, ["Equal", "Exists", "Lt", "Gt"]));
      break;
    default:
      errors.push(notSupported(`${path}.operator`, operator, ["Equal", "Exists"]));
  }
}

export function validateTaints(
  taints: readonly Taint[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  (taints ?? []).forEach((taint, index) => {
    if (isEnough(errors)) return;
    const at = `${path}[${index}]`;
    addAll(errors, invalidEach(`${at}.key`, taint.key, checkQualifiedName(taint.key)));
    const problems = checkLabelValue(taint.value ?? "");
    if (problems.length > 0) {
      errors.push(invalid(`${at}.value`, taint.value ?? "", problems.join(";")));
    }
    if (!effects.includes(taint.effect)) {
      errors.push(
        (taint.effect as string) === ""
          ? required(`${at}.effect`)
          : notSupported(`${at}.effect`, taint.effect, effects),
      );
    }
    const identity = `${taint.key}:${taint.effect}`;
    if (seen.has(identity)) {
      errors.push({
        ...duplicate(at, asGoTaint(taint)),
        detail: "taints must be unique by key and effect pair",
      });
    }
    seen.add(identity);
  });
}

/** Upstream prints this value of its own type, whose fields have no JSON names. */
function asGoTaint({ key, value, effect, timeAdded }: Taint) {
  return { Key: key, Value: value ?? "", Effect: effect, TimeAdded: timeAdded ?? null };
}

export function validateAffinity(affinity: Affinity, path: string, errors: FieldError[]): void {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity;
  if (nodeAffinity !== undefined) {
    const at = `${path}.nodeAffinity`;
    const needed = nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution;
    if (needed !== undefined) {
      validateNodeSelector(needed, `${at}.requiredDuringSchedulingIgnoredDuringExecution`, errors);
    }
    (nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).forEach((term, index) => {
      const termPath = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
      validateWeight(term.weight, `${termPath}.weight`, errors);
      validateNodeTerm(term.preference, `${termPath}.preference`, errors, "any values");
    });
  }
  if (podAffinity !== undefined) validatePodTerms(podAffinity, `${path}.podAffinity`, errors);
  if (podAntiAffinity !== undefined) {
    validatePodTerms(podAntiAffinity, `${path}.podAntiAffinity`, errors);
  }
}

function validateWeight(weight: number, path: string, errors: FieldError[]): void {
  if (weight < 1 || weight > 100) {
    errors.push(invalid(path, weight, "must be in the range 1-100"));
  }
}

/** Which nodes are meant: one of the terms must hold. */
export function validateNodeSelector(
  selector: NodeSelector,
  path: string,
  errors: FieldError[],
): void {
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) {
    errors.push(required(`${path}.nodeSelectorTerms`, "must have at least one node selector term"));
  }
  terms.forEach((term, index) => {
    validateNodeTerm(term, `${path}.nodeSelectorTerms[${index}]`, errors);
  });
}

function validateNodeTerm(
  term: NodeSelectorTerm,
  path: string,
  errors: FieldError[],
  allowed?: "any values",
): void {
  (term.matchExpressions ?? []).forEach((requirement, index) => {
    const at = `${path}.matchExpressions[${index}]`;
    validateNodeRequirement(requirement, at, errors);
    // What is only preferred may ask for a value that no label can have.
    if (allowed === "any values") return;
    (requirement.values ?? []).forEach((value, place) => {
      addAll(errors, invalidEach(`${at}.values[${place}]`, value, checkLabelValue(value)));
    });
  });
  (term.matchFields ?? []).forEach((requirement, index) => {
    const at = `${path}.matchFields[${index}]`;
    const values = requirement.values ?? [];
    if (requirement.operator !== "In" && requirement.operator !== "NotIn") {
      errors.push(invalid(`${at}.operator`, requirement.operator, "not a valid selector operator"));
    } else if (values.length !== 1) {
      errors.push(
        required(
          `${at}.values`,
          "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
        ),
      );
    }
    if (requirement.key !== "metadata.name") {
      errors.push(invalid(`${at}.key`, requirement.key, "not a valid field selector key"));
      return;
    }
    values.forEach((value, place) => {
      addAll(errors, invalidEach(`${at}.values[${place}]`, value, checkDnsSubdomain(value)));
    });
  });
}

function validateNodeRequirement(
  { key, operator, values = [] }: NodeSelectorRequirement,
  path: string,
  errors: FieldError[],
): void {
  if (operator === "Gt" || operator === "Lt") {
    if (values.length !== 1) {
      errors.push(
        required(
          `${path}.values`,
          "must be specified single value when `operator` is 'Lt' or 'Gt'",
        ),
      );
    }
  } else {
    errors.push(
      ...(validateValueCount(operator, values, `${path}.values`) ?? [
        invalid(`${path}.operator`, operator, "not a valid selector operator"),
      ]),
    );
  }
  addAll(errors, invalidEach(`${path}.key`, key, checkQualifiedName(key)));
}

function validatePodTerms(affinity: PodAntiAffinity, path: string, errors: FieldError[]): void {
  (affinity.requiredDuringSchedulingIgnoredDuringExecution ?? []).forEach((term, index) => {
    validatePodTerm(
      term,
      `${path}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`,
      errors,
    );
  });
  (affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).forEach((weighted, index) => {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
    validateWeight(weighted.weight, `${at}.weight`, errors);
    validatePodTerm(weighted.podAffinityTerm, `${at}.podAffinityTerm`, errors);
  });
}

function validatePodTerm(term: PodAffinityTerm, path: string, errors: FieldError[]): void {
  addAll(errors, validateLabelSelector(term.labelSelector, `${path}.labelSelector`));
  addAll(errors, validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`));
  (term.namespaces ?? []).forEach((namespace) => {
    addAll(errors, invalidEach(`${path}.namespace`, namespace, checkDnsLabel(namespace)));
  });
  validateLabelKeys(term, path, errors);
  if (term.topologyKey === "") errors.push(required(`${path}.topologyKey`, "can not be empty"));
  errors.push(
    ...invalidEach(`${path}.topologyKey`, term.topologyKey, checkQualifiedName(term.topologyKey)),
  );
}
