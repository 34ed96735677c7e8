import { addAll } from "../../base/add-all.ts";
import {
  duplicate,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
} from "../field-error.ts";
import type {
  MatchResources,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicySpec,
  Variable,
} from "../generated/admissionregistration-v1.generated.ts";
import type { LabelSelector } from "../generated/meta-v1.generated.ts";
import { validateLabelSelector } from "../labels.ts";
import { checkDns1035Label, checkDnsSubdomain, checkPathSegment } from "../names.ts";
import type { KubernetesObject } from "../object.ts";
import type { Column, FieldError } from "../resource.ts";
import {
  failurePolicies,
  validateChoice,
  validateMatchConditions,
  validateMatchResources,
} from "./admission-rules.ts";

type PolicySpec = Pick<
  ValidatingAdmissionPolicySpec,
  "failurePolicy" | "matchConditions" | "matchConstraints" | "paramKind" | "variables"
>;

/** What a binding of either kind of policy says. */
interface BindingLike extends KubernetesObject {
  readonly spec: {
    readonly policyName?: string;
    readonly paramRef?: ParamRef;
    readonly matchResources?: MatchResources;
  };
}

/**
 * What is wrong with a policy. `own` is about what only its kind has, and comes in the middle; a policy that is right
 * is refused too, because nothing would compile its expressions, nor enforce them.
 */
export function validatePolicy(
  spec: PolicySpec,
  own: { readonly matching: readonly FieldError[]; readonly rest: readonly FieldError[] },
): readonly FieldError[] {
  const { matchConstraints, paramKind } = spec;
  const at = "spec.matchConstraints";
  const errors: FieldError[] = [
    ...validateChoice(spec.failurePolicy, failurePolicies, "spec.failurePolicy"),
    ...(paramKind === undefined ? [] : validateParamKind(paramKind, "spec.paramKind")),
  ];
  if (matchConstraints === undefined) errors.push(required(at));
  else {
    addAll(errors, validateMatchResources(matchConstraints, at));
    if ((matchConstraints.resourceRules ?? []).length === 0) {
      errors.push(required(`${at}.resourceRules`));
    }
  }
  errors.push(
    ...own.matching,
    ...validateMatchConditions(spec.matchConditions, "spec.matchConditions"),
    ...(spec.variables ?? []).flatMap((variable, index) =>
      validateVariable(variable, `spec.variables[${index}]`),
    ),
    ...own.rest,
  );
  if (errors.length > 0) return errors;
  return [
    forbidden(
      "spec",
      "this server does not enforce admission policies yet; a policy is refused rather than ignored",
    ),
  ];
}

function validateParamKind({ apiVersion = "", kind = "" }: ParamKind, path: string) {
  const errors: FieldError[] = [];
  const at = `${path}.apiVersion`;
  const joined = (value: string, detail: readonly string[], where: string, intro = "") => {
    if (detail.length > 0) errors.push(invalid(where, value, intro + detail.join(",")));
  };
  const parts = apiVersion.split("/");
  if (apiVersion === "") errors.push(required(at));
  else if (parts.length > 2) {
    errors.push(invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  } else {
    const [group, version] = parts.length === 1 ? ["", apiVersion] : [parts[0], parts[1]];
    if (group !== undefined && group !== "") joined(group, checkDnsSubdomain(group), at);
    if (version === undefined || version === "") {
      errors.push(invalid(at, apiVersion, "version must be specified"));
    } else joined(version, checkDns1035Label(version), at);
  }
  if (kind === "") errors.push(required(`${path}.kind`));
  else {
    const intro = "may have mixed case, but should otherwise match: ";
    joined(kind, checkDns1035Label(kind.toLowerCase()), `${path}.kind`, intro);
  }
  return errors;
}

const celReserved = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

function validateVariable({ expression, name }: Variable, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (name.trim() === "") errors.push(required(`${path}.name`, "name is not specified"));
  else if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) || celReserved.has(name)) {
    errors.push(invalid(`${path}.name`, name, "name is not a valid CEL identifier"));
  }
  if (expression.trim() === "") {
    errors.push(required(`${path}.expression`, "expression is not specified"));
  }
  return errors;
}

/** Of what the bindings of both kinds of policy say. */
export function validateBinding(
  { policyName = "", paramRef, matchResources }: BindingLike["spec"],
  matchPath: string,
): readonly FieldError[] {
  const path = "spec.policyName";
  return [
    ...(policyName === ""
      ? [required(path)]
      : invalidEach(path, policyName, checkDnsSubdomain(policyName))),
    ...(paramRef === undefined ? [] : validateParamRef(paramRef, "spec.paramRef")),
    ...validateMatchResources(matchResources, matchPath),
  ];
}

function validateParamRef(
  { name = "", parameterNotFoundAction: action = "", selector }: ParamRef,
  path: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const twice = "name and selector are mutually exclusive";
  if (name !== "") {
    addAll(errors, invalidEach(`${path}.name`, name, checkPathSegment(name)));
    if (selector !== undefined) errors.push(forbidden(`${path}.name`, twice));
  }
  addAll(errors, validateLabelSelector(selector, `${path}.selector`));
  if (name !== "" && selector !== undefined) errors.push(forbidden(`${path}.selector`, twice));
  if (name === "" && selector === undefined) {
    errors.push(required(path, "one of name or selector must be specified"));
  }
  return [
    ...errors,
    ...validateChoice(action, ["Deny", "Allow"], `${path}.parameterNotFoundAction`),
  ];
}

/** A policy mutates what is created and updated, nothing else. */
export function validateMutatingOperations(
  resources: MatchResources | undefined,
  path: string,
): readonly FieldError[] {
  const allowed = ["CREATE", "UPDATE"];
  return (resources?.resourceRules ?? []).flatMap(({ operations = [] }) =>
    operations
      .filter((operation) => !allowed.includes(operation))
      .map((operation) => notSupported(`${path}.resourceRules.operations`, operation, allowed)),
  );
}

/** Of the actions that follow when a validation fails. */
export function validateActions(actions: readonly string[], path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  const known = ["Audit", "Deny", "Warn"];
  actions.forEach((action, index) => {
    const at = `${path}[${index}]`;
    if (!known.includes(action)) errors.push(notSupported(at, action, known));
    if (seen.has(action)) errors.push(duplicate(at, action));
    seen.add(action);
  });
  if (seen.has("Deny") && seen.has("Warn")) {
    errors.push(
      invalid(
        path,
        actions,
        "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)",
      ),
    );
  }
  if (seen.size === 0) errors.push(required(path, "at least one validation action is required"));
  return errors;
}

// ---- columns -----------------------------------------------------------------

export const paramKindColumn: Column<KubernetesObject & { readonly spec: PolicySpec }> = {
  name: "ParamKind",
  type: "string",
  description: "The kind of objects that hold the policy's parameters.",
  cell: ({ spec: { paramKind } }) =>
    paramKind === undefined ? "<unset>" : `${paramKind.apiVersion ?? ""}/${paramKind.kind ?? ""}`,
};

export const bindingColumns: readonly Column<BindingLike>[] = [
  {
    name: "PolicyName",
    type: "string",
    description: "The policy that is bound.",
    cell: ({ spec }) => spec.policyName ?? "",
  },
  {
    name: "ParamRef",
    type: "string",
    description: "The objects that hold the policy's parameters.",
    cell: ({ spec }) => printParamRef(spec.paramRef),
  },
];

function printParamRef(reference: ParamRef | undefined): string {
  const { name = "", namespace = "", selector } = reference ?? {};
  if (name !== "") return `${namespace || "*"}/${name}`;
  return selector === undefined ? "<unset>" : printSelector(selector);
}

/** As upstream prints it: the Go value. */
function printSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const labels = Object.keys(matchLabels)
    .sort()
    .map((key) => `${key}: ${matchLabels[key] ?? ""},`);
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
  );
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join("")}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join("")}},}`;
}
