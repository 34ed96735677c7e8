import { addAll } from "../../base/add-all.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "../field-error.ts";
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscalerSpec,
  HPAScalingPolicy,
  HPAScalingRules,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from "../generated/autoscaling-v2.generated.ts";
import { checkDnsLabel } from "../names.ts";
import { formatQuantity, tryParseQuantity } from "../quantity.ts";
import type { FieldError } from "../resource.ts";
import { isMetricType, metricSources } from "./autoscaler-metrics.ts";
import { checkContainerResourceName, validateNonNegativeQuantity } from "./resource-names.ts";
import { validateRequiredSegment } from "./validate-references.ts";

const periodSecondsMax = 1_800;
const stabilizationSecondsMax = 3_600;

/** An autoscaler's spec, new or instead of `previous`: what was accepted once is not refused for what it says still. */
export function validateAutoscaler(
  spec: HorizontalPodAutoscalerSpec,
  previous: HorizontalPodAutoscalerSpec | undefined,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  validateBounds(spec, previous?.minReplicas === 0 ? 0 : 1, errors);
  validateReference(
    spec.scaleTargetRef,
    versionRule(spec.scaleTargetRef, previous),
    "spec.scaleTargetRef",
    errors,
  );
  const oldObjects = (previous?.metrics ?? []).filter(({ type }) => type === "Object");
  const versions = oldObjects.some(({ object }) => isMisversioned(object?.describedObject))
    ? "any"
    : "may be core";
  (spec.metrics ?? []).forEach((metric, index) => {
    validateMetric(metric, versions, `spec.metrics[${index}]`, errors);
  });
  if (spec.minReplicas === 0) {
    const reachable = (spec.metrics ?? []).some(
      ({ type }) => type === "Object" || type === "External",
    );
    if (!reachable) {
      errors.push(
        forbidden(
          "spec.metrics",
          "must specify at least one Object or External metric to support scaling to zero replicas",
        ),
      );
    }
  }
  for (const direction of ["scaleUp", "scaleDown"] as const) {
    const rules = spec.behavior?.[direction];
    if (rules !== undefined) validateRules(rules, `spec.behavior.${direction}`, errors);
  }
  return errors;
}

function validateBounds(
  { minReplicas, maxReplicas }: HorizontalPodAutoscalerSpec,
  leastReplicas: number,
  errors: FieldError[],
): void {
  if (minReplicas !== undefined && minReplicas < leastReplicas) {
    errors.push(
      invalid("spec.minReplicas", minReplicas, `must be greater than or equal to ${leastReplicas}`),
    );
  }
  const path = "spec.maxReplicas";
  if (maxReplicas === 0) errors.push(required(path, "must be set and greater than 0"));
  else if (maxReplicas < 0) {
    errors.push(invalid(path, maxReplicas, "must be greater than or equal to 1"));
  }
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalid(path, maxReplicas, "must be greater than or equal to `minReplicas`"));
  }
}

// ---- references ------------------------------------------------------------------

/** What an `apiVersion` may be: one with a group, one of the core group too, or anything. */
type VersionRule = "needs group" | "may be core" | "any";

function versionRule(
  next: CrossVersionObjectReference,
  previous: HorizontalPodAutoscalerSpec | undefined,
): VersionRule {
  const before = previous?.scaleTargetRef;
  if (before !== undefined && before.kind === next.kind && before.apiVersion === next.apiVersion) {
    return "any";
  }
  // The only kind of the core group that can be scaled.
  return next.kind === "ReplicationController" ? "may be core" : "needs group";
}

function validateReference(
  { kind, name, apiVersion = "" }: CrossVersionObjectReference,
  rule: VersionRule,
  path: string,
  errors: FieldError[],
): void {
  addAll(errors, validateRequiredSegment(kind, `${path}.kind`));
  addAll(errors, validateRequiredSegment(name, `${path}.name`));
  const problem = checkApiVersion(apiVersion, rule);
  if (problem !== undefined) errors.push(invalid(`${path}.apiVersion`, apiVersion, problem));
}

function checkApiVersion(apiVersion: string, rule: VersionRule): string | undefined {
  if (rule === "any") return undefined;
  const parts = apiVersion.split("/");
  if (parts.length > 2) return `unexpected GroupVersion string: ${apiVersion}`;
  const group = parts.length === 2 ? parts[0] : "";
  return rule === "needs group" && group === "" ? "apiVersion must specify API group" : undefined;
}

function isMisversioned(reference: CrossVersionObjectReference | undefined): boolean {
  return checkApiVersion(reference?.apiVersion ?? "", "may be core") !== undefined;
}

// ---- metrics ---------------------------------------------------------------------

const metricTypes = Object.keys(metricSources).sort();
/** In the order in which upstream looks at them. */
const sourceFields = ["object", "external", "pods", "resource", "containerResource"] as const;

function validateMetric(
  metric: MetricSpec,
  versions: VersionRule,
  path: string,
  errors: FieldError[],
): void {
  const { type = "" } = metric;
  if (type === "") errors.push(required(`${path}.type`, "must specify a metric source type"));
  if (!isMetricType(type)) errors.push(notSupported(`${path}.type`, type, metricTypes));
  const present = sourceFields.filter((field) => metric[field] !== undefined);
  const [first] = present;
  if (first !== undefined) validateSource(metric, first, versions, `${path}.${first}`, errors);
  const expected = isMetricType(type) ? metricSources[type] : undefined;
  if (expected === undefined) errors.push(notSupported(`${path}.type`, type, metricTypes));
  else if (metric[expected] === undefined) {
    const detail = "must populate information for the given metric source";
    errors.push(required(`${path}.${expected}`, detail));
  }
  if (present.length === 1) return;
  for (const field of present) {
    if (field === expected) continue;
    errors.push(forbidden(`${path}.${field}`, "must populate the given metric source only"));
  }
}

function validateSource(
  { object, external, pods, resource, containerResource }: MetricSpec,
  field: (typeof sourceFields)[number],
  versions: VersionRule,
  path: string,
  errors: FieldError[],
): void {
  switch (field) {
    case "object":
      if (object === undefined) return;
      validateReference(object.describedObject, versions, `${path}.describedObject`, errors);
      validateIdentifier(object.metric, `${path}.metric`, errors);
      validateTarget(object.target, `${path}.target`, errors);
      requireTarget(object.target, "must set either a target value or averageValue", path, errors);
      break;
    case "external":
      if (external === undefined) return;
      validateIdentifier(external.metric, `${path}.metric`, errors);
      validateTarget(external.target, `${path}.target`, errors);
      requireTarget(
        external.target,
        "must set either a target value for metric or a per-pod target",
        path,
        errors,
      );
      if (external.target.value !== undefined && external.target.averageValue !== undefined) {
        errors.push(
          forbidden(
            `${path}.target.value`,
            "may not set both a target value for metric and a per-pod target",
          ),
        );
      }
      break;
    case "pods":
      if (pods === undefined) return;
      validateIdentifier(pods.metric, `${path}.metric`, errors);
      validateTarget(pods.target, `${path}.target`, errors);
      if (pods.target.averageValue === undefined) {
        const detail = "must specify a positive target averageValue";
        errors.push(required(`${path}.target.averageValue`, detail));
      }
      break;
    case "resource":
      if (resource === undefined) return;
      if (resource.name === "") {
        errors.push(required(`${path}.name`, "must specify a resource name"));
      }
      validateShare(resource.target, `${path}.target`, errors);
      break;
    case "containerResource":
      if (containerResource === undefined) return;
      validateContainer(containerResource, path, errors);
      validateShare(containerResource.target, `${path}.target`, errors);
      break;
  }
}

function validateContainer(
  { name, container }: { readonly name: string; readonly container: string },
  path: string,
  errors: FieldError[],
): void {
  if (name === "") errors.push(required(`${path}.name`, "must specify a resource name"));
  else addAll(errors, checkContainerResourceName(name, `${path}.name`));
  if (container === "") {
    errors.push(required(`${path}.container`, "must specify a container"));
  } else addAll(errors, invalidEach(`${path}.container`, container, checkDnsLabel(container)));
}

function requireTarget(
  { value, averageValue }: MetricTarget,
  detail: string,
  path: string,
  errors: FieldError[],
): void {
  if (value !== undefined || averageValue !== undefined) return;
  errors.push(required(`${path}.target.averageValue`, detail));
}

/** A target that is a share of what pods ask for, or an amount. */
function validateShare(target: MetricTarget, path: string, errors: FieldError[]): void {
  validateTarget(target, path, errors);
  const { averageUtilization, averageValue } = target;
  if (averageUtilization === undefined && averageValue === undefined) {
    errors.push(
      required(
        `${path}.averageUtilization`,
        "must set either a target raw value or a target utilization",
      ),
    );
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    errors.push(
      forbidden(
        `${path}.averageValue`,
        "may not set both a target raw value and a target utilization",
      ),
    );
  }
}

const targetTypes = ["Utilization", "Value", "AverageValue"];

function validateTarget(target: MetricTarget, path: string, errors: FieldError[]): void {
  const { type = "", averageUtilization } = target;
  if (type === "") errors.push(required(`${path}.type`, "must specify a metric target type"));
  if (!targetTypes.includes(type)) {
    errors.push(
      invalid(`${path}.type`, type, "must be either Utilization, Value, or AverageValue"),
    );
  }
  for (const field of ["value", "averageValue"] as const) {
    const text = target[field];
    const quantity = text === undefined ? undefined : tryParseQuantity(text);
    if (quantity !== undefined && quantity.nanos <= 0n) {
      errors.push(invalid(`${path}.${field}`, formatQuantity(quantity), "must be positive"));
    }
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(
      invalid(`${path}.averageUtilization`, averageUtilization, "must be greater than 0"),
    );
  }
}

function validateIdentifier({ name }: MetricIdentifier, path: string, errors: FieldError[]): void {
  if (name === "") errors.push(required(`${path}.name`, "must specify a metric name"));
  else addAll(errors, validateRequiredSegment(name, `${path}.name`));
}

// ---- behaviour -------------------------------------------------------------------

const selectPolicies = ["Disabled", "Max", "Min"];
const policyTypes = ["Percent", "Pods"];

function validateRules(rules: HPAScalingRules, path: string, errors: FieldError[]): void {
  const { stabilizationWindowSeconds: seconds, selectPolicy, policies = [], tolerance } = rules;
  const at = `${path}.stabilizationWindowSeconds`;
  if (seconds !== undefined && seconds < 0) {
    errors.push(invalid(at, seconds, "must be greater than or equal to zero"));
  }
  if (seconds !== undefined && seconds > stabilizationSecondsMax) {
    errors.push(invalid(at, seconds, `must be less than or equal to ${stabilizationSecondsMax}`));
  }
  if (selectPolicy !== undefined && !selectPolicies.includes(selectPolicy)) {
    errors.push(notSupported(`${path}.selectPolicy`, selectPolicy, selectPolicies));
  }
  if (policies.length === 0) {
    errors.push(required(`${path}.policies`, "must specify at least one Policy"));
  }
  policies.forEach((policy, index) => {
    validatePolicy(policy, `${path}.policies[${index}]`, errors);
  });
  if (tolerance !== undefined) {
    validateNonNegativeQuantity(tolerance, `${path}.tolerance`, errors);
  }
}

function validatePolicy(
  { type, value, periodSeconds }: HPAScalingPolicy,
  path: string,
  errors: FieldError[],
): void {
  if (!policyTypes.includes(type)) errors.push(notSupported(`${path}.type`, type, policyTypes));
  if (value <= 0) errors.push(invalid(`${path}.value`, value, "must be greater than zero"));
  const at = `${path}.periodSeconds`;
  if (periodSeconds <= 0) errors.push(invalid(at, periodSeconds, "must be greater than zero"));
  if (periodSeconds > periodSecondsMax) {
    errors.push(invalid(at, periodSeconds, `must be less than or equal to ${periodSecondsMax}`));
  }
}
