import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { immutableDetail, invalid, required } from "../field-error.ts";
import {
  type ResourceQuota,
  type ResourceQuotaSpec,
  resourceQuotaSchema,
} from "../generated/core-v1.generated.ts";
import { compareQuantities, tryParseQuantity } from "../quantity.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { defaultResourceList } from "../shared/pod-spec-defaults.ts";
import {
  checkResourceName,
  isStandardQuotaResource,
  validateAmount,
} from "../shared/resource-names.ts";

export const resourceQuotaResource = defineResource<ResourceQuota>({
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  shortNames: ["quota"],
  scope: "namespace",
  schema: resourceQuotaSchema,
  subresources: { status: true },
  defaults({ spec, status }) {
    defaultResourceList(spec.hard);
    defaultResourceList(status?.hard);
    defaultResourceList(status?.used);
  },
  prepareCreate(quota) {
    quota.status = {};
  },
  validate: ({ spec }) => validateSpec(spec),
  validateUpdate: (next, previous) =>
    sameScopes(next.spec.scopes ?? [], previous.spec.scopes ?? [])
      ? []
      : [invalid("spec.scopes", next.spec.scopes ?? null, immutableDetail)],
  validateStatusUpdate: ({ status }) => [
    ...validateAmounts(status.hard, "status.hard"),
    ...validateAmounts(status.used, "status.used"),
  ],
  warnings: (quota, previous) => (previous === undefined ? requestsAboveLimits(quota.spec) : []),
  columns: [
    nameColumn,
    {
      name: "Request",
      type: "string",
      description: "What is used of what may be asked for, of each resource.",
      cell: (quota) => printUse(quota, (name) => !isLimit(name)),
    },
    {
      name: "Limit",
      type: "string",
      description: "What is used of what containers may be held to, of each resource.",
      cell: (quota) => printUse(quota, isLimit),
    },
    ageColumn,
  ],
});

function validateSpec(spec: ResourceQuotaSpec): readonly FieldError[] {
  const errors: FieldError[] = [...validateAmounts(spec.hard, "spec.hard")];
  const resources = Object.keys(spec.hard ?? {})
    .sort()
    .filter(isStandardQuotaResource);
  validateScopes(spec, resources, errors);
  validateScopeSelector(spec, resources, errors);
  return errors;
}

function validateAmounts(
  amounts: Readonly<Record<string, string>> | undefined,
  path: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    const at = `${path}[${name}]`;
    addAll(errors, checkResourceName(name, at));
    if (!name.includes("/") && !isStandardQuotaResource(name)) {
      errors.push(invalid(at, name, "must be a standard resource for quota"));
    }
    validateAmount(name, amount, at, errors);
  }
  return errors;
}

const podResources: ReadonlySet<string> = new Set([
  "pods",
  "cpu",
  "memory",
  "limits.cpu",
  "limits.memory",
  "requests.cpu",
  "requests.memory",
]);

/** What can be counted of the objects in a scope. */
const scopeResources: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["BestEffort", new Set(["pods"])],
  ["CrossNamespacePodAffinity", podResources],
  ["NotBestEffort", podResources],
  ["NotTerminating", podResources],
  ["PriorityClass", podResources],
  ["Terminating", podResources],
  ["VolumeAttributesClass", new Set(["persistentvolumeclaims", "requests.storage"])],
]);

const contradictions = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;

function contradict(scopes: ReadonlySet<string>): boolean {
  return contradictions.some(([one, other]) => scopes.has(one) && scopes.has(other));
}

/** Whether one of the resources cannot be counted of the objects in a scope. */
function isBesideScope(scope: string, resources: readonly string[]): boolean {
  const countable = scopeResources.get(scope);
  return countable !== undefined && resources.some((resource) => !countable.has(resource));
}

/** Each thing that is wrong is said once, however many scopes there are of which it holds. */
function validateScopes(
  { scopes = [] }: ResourceQuotaSpec,
  resources: readonly string[],
  errors: FieldError[],
): void {
  const unique = new Set<string>(scopes);
  const names = [...unique];
  const refuse = (detail: string) => errors.push(invalid("spec.scopes", scopes, detail));
  if (names.some((scope) => !scopeResources.has(scope))) refuse("unsupported scope");
  if (names.some((scope) => isBesideScope(scope, resources))) {
    refuse("unsupported scope applied to resource");
  }
  if (contradict(unique)) refuse("conflicting scopes");
}

const existsOnly: ReadonlySet<string> = new Set([
  "BestEffort",
  "CrossNamespacePodAffinity",
  "NotBestEffort",
  "NotTerminating",
  "Terminating",
]);

function validateScopeSelector(
  { scopeSelector, scopes }: ResourceQuotaSpec,
  resources: readonly string[],
  errors: FieldError[],
): void {
  if (scopeSelector === undefined) return;
  const path = "spec.scopeSelector.matchExpressions";
  const expressions = scopeSelector.matchExpressions ?? [];
  for (const { scopeName, operator, values = [] } of expressions) {
    if (!scopeResources.has(scopeName)) {
      errors.push(invalid(`${path}.scopeName`, scopeName, "unsupported scope"));
    }
    if (existsOnly.has(scopeName) && operator !== "Exists") {
      errors.push(
        invalid(
          `${path}.operator`,
          operator,
          "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
        ),
      );
    }
    validateOperator(operator, values, path, errors);
  }
  const names = new Set<string>(expressions.map(({ scopeName }) => scopeName));
  if ([...names].some((scope) => isBesideScope(scope, resources))) {
    errors.push(
      invalid(path, asGoSelector(scopeSelector), "unsupported scope applied to resource"),
    );
  }
  if (contradict(names)) errors.push(invalid(path, scopes ?? null, "conflicting scopes"));
}

function validateOperator(
  operator: string,
  values: readonly string[],
  path: string,
  errors: FieldError[],
): void {
  switch (operator) {
    case "In":
    case "NotIn":
      if (values.length > 0) return;
      errors.push(
        required(
          `${path}.values`,
          "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
        ),
      );
      return;
    case "Exists":
    case "DoesNotExist":
      if (values.length === 0) return;
      errors.push(
        invalid(
          `${path}.values`,
          values,
          "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
        ),
      );
      return;
    default:
      errors.push(invalid(`${path}.operator`, operator, "not a valid selector operator"));
  }
}

/** Upstream prints this value of its own type, whose fields have no JSON names. */
function asGoSelector({ matchExpressions }: NonNullable<ResourceQuotaSpec["scopeSelector"]>) {
  return {
    MatchExpressions:
      matchExpressions?.map(({ scopeName, operator, values }) => ({
        ScopeName: scopeName,
        Operator: operator,
        Values: values ?? null,
      })) ?? null,
  };
}

function sameScopes(one: readonly string[], other: readonly string[]): boolean {
  const left = new Set(one);
  const right = new Set(other);
  return left.size === right.size && [...left].every((scope) => right.has(scope));
}

/** A pod's limits are never below its requests: a quota with less of the one leaves some of the other unused. */
function requestsAboveLimits({ hard = {} }: ResourceQuotaSpec): readonly string[] {
  const warnings: string[] = [];
  for (const resource of ["cpu", "memory", "storage", "ephemeral-storage"]) {
    const long = `requests.${resource}`;
    const hasShortName = resource === "cpu" || resource === "memory";
    const requestName = hard[long] === undefined && hasShortName ? resource : long;
    const limitName = `limits.${resource}`;
    const request = tryParseQuantity(hard[requestName] ?? "");
    const limit = tryParseQuantity(hard[limitName] ?? "");
    if (request === undefined || limit === undefined) continue;
    if (compareQuantities(request, limit) <= 0) continue;
    warnings.push(
      `ResourceQuota ${requestName} (${hard[requestName]}) should be less than ${limitName} (${hard[limitName]})`,
    );
  }
  return warnings;
}

function isLimit(name: string): boolean {
  return name.startsWith("limits.");
}

function printUse({ status }: ResourceQuota, isShown: (name: string) => boolean): string {
  return Object.entries(status?.hard ?? {})
    .filter(([name]) => isShown(name))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, hard]) => `${name}: ${status?.used?.[name] ?? "0"}/${hard}`)
    .join(", ");
}
