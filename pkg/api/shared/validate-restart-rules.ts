import { duplicate, invalid, notSupported, required, tooMany } from "../field-error.ts";
import type { Container } from "../generated/core-v1.generated.ts";
import type { FieldError } from "../resource.ts";

const policies = ["Always", "Never", "OnFailure"];
const actions = ["Restart", "RestartAllContainers"];
const operators = ["In", "NotIn"];
const rulesMax = 20;
const exitCodesMax = 255;

/** When a container alone is started again, whatever its pod says. */
export function validateRestartRules(
  { restartPolicy, restartPolicyRules: rules = [] }: Container,
  path: string,
  errors: FieldError[],
): void {
  if (restartPolicy === undefined) {
    if (rules.length === 0) return;
    const detail = "must specify restartPolicy when restart rules are used";
    errors.push(required(`${path}.restartPolicy`, detail));
  } else if (!policies.includes(restartPolicy)) {
    errors.push(notSupported(`${path}.restartPolicy`, restartPolicy, policies));
  }
  const at = `${path}.restartPolicyRules`;
  if (rules.length > rulesMax) errors.push(tooMany(at, rules.length, rulesMax));
  rules.forEach(({ action, exitCodes }, index) => {
    const rule = `${at}[${index}]`;
    if (!actions.includes(action)) errors.push(notSupported(`${rule}.action`, action, actions));
    if (exitCodes === undefined) {
      errors.push(required(`${rule}.exitCodes`, "must be specified"));
      return;
    }
    const { operator, values = [] } = exitCodes;
    if (!operators.includes(operator)) {
      errors.push(notSupported(`${rule}.exitCodes.operator`, operator, operators));
    }
    if (values.length > exitCodesMax) {
      errors.push(tooMany(`${rule}.exitCodes.values`, values.length, exitCodesMax));
    }
  });
}

const resizable = ["cpu", "memory"];
const resizePolicies = ["NotRequired", "RestartContainer"];

/** What a container needs to have more or less of a resource. */
export function validateResizePolicy(
  { resizePolicy = [] }: Container,
  podRestartPolicy: string | undefined,
  path: string,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  resizePolicy.forEach(({ resourceName, restartPolicy }, index) => {
    if (seen.has(resourceName)) errors.push(duplicate(`${path}[${index}]`, resourceName));
    seen.add(resourceName);
    if (resourceName === "") errors.push(required(path));
    else if (!resizable.includes(resourceName)) {
      errors.push(notSupported(path, resourceName, resizable));
    }
    if (restartPolicy === "") errors.push(required(path));
    else if (!resizePolicies.includes(restartPolicy)) {
      errors.push(notSupported(path, restartPolicy, resizePolicies));
    }
    if (podRestartPolicy === "Never" && restartPolicy !== "NotRequired") {
      const detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
      errors.push(invalid(path, restartPolicy, detail));
    }
  });
}
