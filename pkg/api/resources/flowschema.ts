import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "../field-error.ts";
import {
  type FlowSchema,
  flowSchemaSchema,
  type NonResourcePolicyRule,
  type PolicyRulesWithSubjects,
  type ResourcePolicyRule,
  type Subject,
} from "../generated/flowcontrol-v1.generated.ts";
import { checkDnsLabel, checkDnsSubdomain } from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import {
  flowControlGroup,
  mandatoryFlowSchemas,
  mandatorySpec,
} from "../shared/mandatory-flow-control.ts";
import { keepMetadataOfStatus } from "../shared/status-metadata.ts";
import { validateConditionTypes } from "../shared/validate-conditions.ts";

export const flowSchemaResource = defineResource<FlowSchema>({
  group: flowControlGroup,
  version: "v1",
  kind: "FlowSchema",
  plural: "flowschemas",
  scope: "cluster",
  schema: flowSchemaSchema,
  subresources: { status: true },
  resetFields: { "": [["status"]], status: [["metadata"], ["spec"]] },
  prepareStatusUpdate: keepMetadataOfStatus,
  defaults({ spec }) {
    spec.matchingPrecedence ||= 1000;
  },
  prepareCreate(schema) {
    schema.status = {};
  },
  validate,
  validateStatusUpdate: ({ status }) =>
    validateConditionTypes(status.conditions, "status.conditions"),
  // As requests meet them.
  compareRows: (a, b) =>
    a.spec.matchingPrecedence - b.spec.matchingPrecedence ||
    (a.metadata.name < b.metadata.name ? -1 : 1),
  columns: [
    nameColumn,
    {
      name: "PriorityLevel",
      type: "string",
      description: "The priority level that takes the requests.",
      cell: ({ spec }) => spec.priorityLevelConfiguration.name,
    },
    {
      name: "MatchingPrecedence",
      type: "string",
      description: "The schema with the lowest number that matches a request takes it.",
      cell: ({ spec }) => spec.matchingPrecedence,
    },
    {
      name: "DistinguisherMethod",
      type: "string",
      description: "What tells one flow from another.",
      cell: ({ spec }) => spec.distinguisherMethod?.type ?? "<none>",
    },
    ageColumn,
    {
      name: "MissingPL",
      type: "string",
      description: "Whether the priority level is broken or does not exist.",
      cell: ({ status }) =>
        status.conditions?.find(({ type }) => type === "Dangling")?.status ?? "?",
    },
  ],
});

const precedenceMax = 10_000;
const methods = ["ByNamespace", "ByUser"];
const subjectKinds = ["Group", "ServiceAccount", "User"];
const verbs = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "proxy",
  "update",
  "watch",
];

function validate({ metadata: { name }, spec, status }: FlowSchema): readonly FieldError[] {
  const errors: FieldError[] = [];
  const precedence = spec.matchingPrecedence;
  const wrong = (detail: string) =>
    errors.push(invalid("spec.matchingPrecedence", precedence, detail));
  if (precedence <= 0) wrong("must be a positive value");
  if (precedence > precedenceMax) wrong(`must not be greater than ${precedenceMax}`);
  if (precedence === 1 && name !== "exempt") {
    wrong("only the schema named 'exempt' may have matchingPrecedence 1");
  }
  const method = spec.distinguisherMethod;
  if (method !== undefined && !methods.includes(method.type)) {
    errors.push(notSupported("spec.distinguisherMethod.type", { Type: method.type }, methods));
  }
  const level = spec.priorityLevelConfiguration.name;
  const levelPath = "spec.priorityLevelConfiguration.name";
  if (level === "") errors.push(required(levelPath, "must reference a priority level"));
  else addAll(errors, invalidEach(levelPath, level, checkDnsSubdomain(level)));
  (spec.rules ?? []).forEach((rule, index) => {
    validateRules(rule, `spec.rules[${index}]`, errors);
  });
  const fixed = mandatorySpec(mandatoryFlowSchemas, name);
  if (fixed !== undefined && !equalJson(spec, fixed)) {
    errors.push(invalid("spec", spec, `spec of '${name}' must equal the fixed value`));
  }
  addAll(errors, validateConditionTypes(status.conditions, "status.conditions"));
  return errors;
}

function validateRules(rule: PolicyRulesWithSubjects, path: string, errors: FieldError[]): void {
  const { nonResourceRules = [], resourceRules = [], subjects = [] } = rule;
  if (subjects.length === 0) {
    errors.push(required(`${path}.subjects`, "subjects must contain at least one value"));
  }
  subjects.forEach((subject, index) => {
    validateSubject(subject, `${path}.subjects[${index}]`, errors);
  });
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    errors.push(
      required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"),
    );
  }
  resourceRules.forEach((each, index) => {
    validateResourceRule(each, `${path}.resourceRules[${index}]`, errors);
  });
  nonResourceRules.forEach((each, index) => {
    validateNonResourceRule(each, `${path}.nonResourceRules[${index}]`, errors);
  });
}

/** The field in which a subject of each kind is named. */
const subjectFields = { ServiceAccount: "serviceAccount", User: "user", Group: "group" } as const;
const subjectKindsInOrder = ["ServiceAccount", "User", "Group"] as const;

function validateSubject(subject: Subject, path: string, errors: FieldError[]): void {
  const { kind } = subject;
  switch (kind) {
    case "ServiceAccount":
      validateServiceAccount(subject, `${path}.serviceAccount`, errors);
      break;
    case "User":
    case "Group": {
      const field = subjectFields[kind];
      if (subject[field] === undefined) {
        errors.push(required(`${path}.${field}`, requiredFor(field, kind)));
      } else if (subject[field].name === "") errors.push(required(`${path}.${field}.name`));
      break;
    }
    default:
      errors.push(notSupported(`${path}.kind`, kind, subjectKinds));
      return;
  }
  for (const other of subjectKindsInOrder) {
    if (other === kind) continue;
    const field = subjectFields[other];
    if (subject[field] !== undefined) {
      const why = `${field} is forbidden when subject kind is not '${other}'`;
      errors.push(forbidden(`${path}.${field}`, why));
    }
  }
}

function requiredFor(field: string, kind: string): string {
  return `${field} is required when subject kind is '${kind}'`;
}

function validateServiceAccount(
  { serviceAccount }: Subject,
  path: string,
  errors: FieldError[],
): void {
  if (serviceAccount === undefined) {
    errors.push(required(path, requiredFor("serviceAccount", "ServiceAccount")));
    return;
  }
  const { name, namespace } = serviceAccount;
  if (name === "") errors.push(required(`${path}.name`));
  else if (name !== "*") {
    addAll(errors, invalidEach(`${path}.name`, name, checkDnsSubdomain(name)));
  }
  if (namespace === "") {
    errors.push(required(`${path}.namespace`, "must specify namespace for service account"));
  } else addAll(errors, invalidEach(`${path}.namespace`, namespace, checkDnsLabel(namespace)));
}

/** Says that a list with a `*` has something else, too. */
function validateWildcard(
  list: readonly string[],
  path: string,
  others: string,
  errors: FieldError[],
): void {
  if (list.length > 1 && list.includes("*")) {
    errors.push(invalid(path, list, `if '*' is present, must not specify other ${others}`));
  }
}

function validateVerbs(
  sent: readonly string[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  const list = sent ?? [];
  if (list.length === 0) errors.push(required(path, "verbs must contain at least one value"));
  else if (list.includes("*")) validateWildcard(list, path, "verbs", errors);
  else if (!list.every((verb) => verbs.includes(verb))) {
    errors.push(notSupported(path, list, verbs));
  }
}

function validateResourceRule(rule: ResourcePolicyRule, path: string, errors: FieldError[]): void {
  const { apiGroups = [], resources = [], namespaces = [] } = rule;
  validateVerbs(rule.verbs, `${path}.verbs`, errors);
  if (apiGroups.length === 0) {
    errors.push(required(`${path}.apiGroups`, "resource rules must supply at least one api group"));
  } else validateWildcard(apiGroups, `${path}.apiGroups`, "api groups", errors);
  if (resources.length === 0) {
    errors.push(required(`${path}.resources`, "resource rules must supply at least one resource"));
  } else validateWildcard(resources, `${path}.resources`, "resources", errors);
  if (namespaces.length === 0 && rule.clusterScope !== true) {
    errors.push(
      required(
        `${path}.namespaces`,
        "resource rules that are not cluster scoped must supply at least one namespace",
      ),
    );
  } else if (namespaces.includes("*")) {
    validateWildcard(namespaces, `${path}.namespaces`, "namespaces", errors);
  } else {
    const intro = "each member of this list must be '*' or a DNS-1123 label; ";
    namespaces.forEach((namespace, index) => {
      const details = checkDnsLabel(namespace).map((detail) => intro + detail);
      addAll(errors, invalidEach(`${path}.namespaces[${index}]`, namespace, details));
    });
  }
}

function validateNonResourceRule(
  { verbs: allowed, nonResourceURLs = [] }: NonResourcePolicyRule,
  path: string,
  errors: FieldError[],
): void {
  validateVerbs(allowed, `${path}.verbs`, errors);
  const at = `${path}.nonResourceURLs`;
  if (nonResourceURLs.length === 0) {
    errors.push(required(at, "nonResourceURLs must contain at least one value"));
  } else if (nonResourceURLs.includes("*")) {
    validateWildcard(nonResourceURLs, at, "non-resource URLs", errors);
  } else {
    nonResourceURLs.forEach((url, index) => {
      const problem = problemOfUrl(url);
      if (problem !== undefined) errors.push(invalid(`${at}[${index}]`, url, problem));
    });
  }
}

function problemOfUrl(url: string): string | undefined {
  if (url === "") return "must not be empty";
  if (url === "/") return undefined;
  if (!url.startsWith("/")) return "must start with slash";
  if (url.includes(" ")) return "must not contain white-space";
  if (url.includes("//")) return "must not contain double slash";
  const wildcards = url.split("*").length - 1;
  return wildcards > 1 || (wildcards === 1 && !url.endsWith("/*"))
    ? "wildcard can only do suffix matching"
    : undefined;
}
