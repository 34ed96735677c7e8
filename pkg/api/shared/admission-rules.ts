import { addAll } from "../../base/add-all.ts";
import {
  duplicate,
  invalid,
  invalidEach,
  notSupported,
  required,
  tooMany,
} from "../field-error.ts";
import type {
  MatchCondition,
  MatchResources,
  NamedRuleWithOperations,
  RuleWithOperations,
} from "../generated/admissionregistration-v1.generated.ts";
import { validateLabelSelector } from "../labels.ts";
import { checkPathSegment, checkQualifiedName } from "../names.ts";
import type { Draft } from "../object.ts";
import type { FieldError } from "../resource.ts";

export const admissionRegistrationGroup = "admissionregistration.k8s.io";

/** How the kinds that extend the API are listed together. */
export const extensionCategories = ["api-extensions"];

export function defaultRules(rules: readonly Draft<RuleWithOperations>[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= "*";
}

interface Matching {
  matchPolicy?: "Equivalent" | "Exact";
  namespaceSelector?: object;
  objectSelector?: object;
}

/** What webhooks and policies match where they do not say. */
export function defaultMatching(matching: Matching): void {
  matching.matchPolicy ??= "Equivalent";
  matching.namespaceSelector ??= {};
  matching.objectSelector ??= {};
}

export function defaultMatchResources(resources: Draft<MatchResources> | undefined): void {
  if (resources === undefined) return;
  defaultMatching(resources);
  defaultRules(resources.resourceRules);
  defaultRules(resources.excludeResourceRules);
}

/** Of a field that names one of a few ways, and has one by default. */
export function validateChoice(
  value: string | undefined,
  choices: readonly string[],
  path: string,
): readonly FieldError[] {
  if (value === undefined || value === "") return [required(path)];
  return choices.includes(value) ? [] : [notSupported(path, value, choices)];
}

export const failurePolicies = ["Fail", "Ignore"];
export const matchPolicies = ["Equivalent", "Exact"];
export const reinvocationPolicies = ["IfNeeded", "Never"];

const operations: readonly string[] = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const scopes = ["*", "Cluster", "Namespaced"];

function aloneOnly(
  list: readonly string[],
  others: string,
  path: string,
  errors: FieldError[],
): void {
  if (list.length > 1 && list.includes("*")) {
    errors.push(invalid(path, list, `if '*' is present, must not specify other ${others}`));
  }
}

export function validateAdmissionRule(
  rule: RuleWithOperations,
  path: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const asked = rule.operations ?? [];
  if (asked.length === 0) errors.push(required(`${path}.operations`));
  aloneOnly(asked, "operations", `${path}.operations`, errors);
  asked.forEach((operation, index) => {
    if (!operations.includes(operation)) {
      errors.push(notSupported(`${path}.operations[${index}]`, operation, operations));
    }
  });
  const { apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  if (apiGroups.length === 0) errors.push(required(`${path}.apiGroups`));
  aloneOnly(apiGroups, "API groups", `${path}.apiGroups`, errors);
  if (apiVersions.length === 0) errors.push(required(`${path}.apiVersions`));
  aloneOnly(apiVersions, "API versions", `${path}.apiVersions`, errors);
  apiVersions.forEach((version, index) => {
    if (version === "") errors.push(required(`${path}.apiVersions[${index}]`));
  });
  validateResources(resources, `${path}.resources`, errors);
  if (scope !== undefined && !scopes.includes(scope)) {
    errors.push(notSupported(`${path}.scope`, scope, scopes));
  }
  return errors;
}

function validateResources(resources: readonly string[], path: string, errors: FieldError[]): void {
  if (resources.length === 0) errors.push(required(path));
  const allOf = new Set<string>();
  const everyOnes = new Set<string>();
  let namesWhole = false;
  resources.forEach((name, index) => {
    const at = `${path}[${index}]`;
    if (name === "") {
      errors.push(required(at));
      return;
    }
    const slash = name.indexOf("/");
    if (slash === -1) {
      namesWhole = name !== "*";
      return;
    }
    const [resource, sub] = [name.slice(0, slash), name.slice(slash + 1)];
    if (allOf.has(resource)) {
      const why = `if '${resource}/*' is present, must not specify ${name}`;
      errors.push(invalid(at, name, why));
    }
    if (everyOnes.has(sub)) {
      errors.push(invalid(at, name, `if '*/${sub}' is present, must not specify ${name}`));
    }
    if (sub === "*") allOf.add(resource);
    if (resource === "*") everyOnes.add(sub);
  });
  if (resources.length > 1 && resources.includes("*/*")) {
    errors.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (resources.includes("*") && namesWhole) {
    errors.push(
      invalid(
        path,
        resources,
        "if '*' is present, must not specify other resources without subresources",
      ),
    );
  }
}

function validateNamedRule(rule: NamedRuleWithOperations, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  (rule.resourceNames ?? []).forEach((name, index) => {
    const at = `${path}.resourceNames[${index}]`;
    addAll(errors, invalidEach(at, name, checkPathSegment(name)));
    if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
  });
  return [...errors, ...validateAdmissionRule(rule, path)];
}

export function validateMatchResources(
  resources: MatchResources | undefined,
  path: string,
): readonly FieldError[] {
  if (resources === undefined) return [];
  const selector = (field: "namespaceSelector" | "objectSelector") =>
    resources[field] === undefined
      ? [required(`${path}.${field}`)]
      : validateLabelSelector(resources[field], `${path}.${field}`);
  const rules = (field: "resourceRules" | "excludeResourceRules") =>
    (resources[field] ?? []).flatMap((rule, index) =>
      validateNamedRule(rule, `${path}.${field}[${index}]`),
    );
  return [
    ...validateChoice(resources.matchPolicy, matchPolicies, `${path}.matchPolicy`),
    ...selector("namespaceSelector"),
    ...selector("objectSelector"),
    ...rules("resourceRules"),
    ...rules("excludeResourceRules"),
  ];
}

const conditionsMax = 64;

export function validateMatchConditions(
  conditions: readonly MatchCondition[] | undefined,
  path: string,
): readonly FieldError[] {
  const list = conditions ?? [];
  const errors: FieldError[] = [];
  if (list.length > conditionsMax) {
    errors.push(tooMany(path, list.length, conditionsMax));
  }
  const seen = new Set<string>();
  list.forEach(({ expression, name }, index) => {
    const at = `${path}[${index}]`;
    if (expression.trim() === "") errors.push(required(`${at}.expression`));
    if (name === "") errors.push(required(`${at}.name`));
    else addAll(errors, invalidEach(`${at}.name`, name, checkQualifiedName(name)));
    if (name !== "" && seen.has(name)) errors.push(duplicate(`${at}.name`, name));
    seen.add(name);
  });
  return errors;
}
