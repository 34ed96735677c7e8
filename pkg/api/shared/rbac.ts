import { addAll } from "../../base/add-all.ts";
import { invalid, invalidEach, notSupported, required } from "../field-error.ts";
import type { PolicyRule, RoleRef, Subject } from "../generated/rbac-v1.generated.ts";
import { checkDnsSubdomain, checkPathSegment } from "../names.ts";
import type { Draft, KubernetesObject } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import type { Column, FieldError } from "../resource.ts";

export const rbacGroup = "rbac.authorization.k8s.io";

/** What a role of either sort may allow. */
export function validateRules(
  rules: readonly PolicyRule[] | undefined,
  scope: "cluster" | "namespace",
): readonly FieldError[] {
  return (rules ?? []).flatMap((rule, index) => validateRule(rule, scope, `rules[${index}]`));
}

function validateRule(
  rule: PolicyRule,
  scope: "cluster" | "namespace",
  path: string,
): readonly FieldError[] {
  const { apiGroups = [], nonResourceURLs = [], resourceNames = [], resources = [] } = rule;
  const errors: FieldError[] = [];
  if ((rule.verbs ?? []).length === 0) {
    errors.push(required(`${path}.verbs`, "verbs must contain at least one value"));
  }
  if (nonResourceURLs.length > 0) {
    if (scope === "namespace") {
      errors.push(
        invalid(
          `${path}.nonResourceURLs`,
          nonResourceURLs,
          "namespaced rules cannot apply to non-resource URLs",
        ),
      );
    }
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
      errors.push(
        invalid(
          `${path}.nonResourceURLs`,
          nonResourceURLs,
          "rules cannot apply to both regular resources and non-resource URLs",
        ),
      );
    }
    return errors;
  }
  if (apiGroups.length === 0) {
    errors.push(required(`${path}.apiGroups`, "resource rules must supply at least one api group"));
  }
  if (resources.length === 0) {
    errors.push(required(`${path}.resources`, "resource rules must supply at least one resource"));
  }
  return errors;
}

/** What the two sorts of bindings have in common. */
export interface RoleBindingLike extends KubernetesObject {
  readonly roleRef: RoleRef;
  readonly subjects?: readonly Subject[];
}

export function defaultRoleBinding(binding: Draft<RoleBindingLike>): void {
  binding.roleRef.apiGroup ||= rbacGroup;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= rbacGroup;
  }
}

export function validateRoleBinding(
  { roleRef, subjects }: RoleBindingLike,
  roleKinds: readonly string[],
  isNamespaced: boolean,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (roleRef.apiGroup !== rbacGroup) {
    errors.push(notSupported("roleRef.apiGroup", roleRef.apiGroup, [rbacGroup]));
  }
  if (!roleKinds.includes(roleRef.kind)) {
    errors.push(notSupported("roleRef.kind", roleRef.kind, roleKinds));
  }
  if (roleRef.name === "") errors.push(required("roleRef.name"));
  else addAll(errors, invalidEach("roleRef.name", roleRef.name, checkPathSegment(roleRef.name)));
  (subjects ?? []).forEach((subject, index) => {
    validateSubject(subject, isNamespaced, `subjects[${index}]`, errors);
  });
  return errors;
}

function validateSubject(
  { apiGroup = "", kind, name, namespace = "" }: Subject,
  isNamespaced: boolean,
  path: string,
  errors: FieldError[],
): void {
  if (name === "") errors.push(required(`${path}.name`));
  switch (kind) {
    case "ServiceAccount":
      if (name !== "") addAll(errors, invalidEach(`${path}.name`, name, checkDnsSubdomain(name)));
      if (apiGroup !== "") errors.push(notSupported(`${path}.apiGroup`, apiGroup, [""]));
      if (!isNamespaced && namespace === "") errors.push(required(`${path}.namespace`));
      break;
    case "User":
    case "Group":
      if (apiGroup !== rbacGroup) {
        errors.push(notSupported(`${path}.apiGroup`, apiGroup, [rbacGroup]));
      }
      break;
    default:
      errors.push(notSupported(`${path}.kind`, kind, ["ServiceAccount", "User", "Group"]));
  }
}

/** Whoever may change a binding's subjects must not be able to give them another role. */
export function validateRoleRefUpdate(
  next: RoleBindingLike,
  previous: RoleBindingLike,
): readonly FieldError[] {
  return equalJson(next.roleRef, previous.roleRef)
    ? []
    : [invalid("roleRef", goRoleRef(next.roleRef), "cannot change roleRef")];
}

/** As upstream prints its own value. */
function goRoleRef({ apiGroup, kind, name }: RoleRef): object {
  return { APIGroup: apiGroup, Kind: kind, Name: name };
}

function subjectColumn(
  name: string,
  kind: string,
  print: (subject: Subject) => string,
): Column<RoleBindingLike> {
  return {
    name,
    type: "string",
    priority: 1,
    description: `The ${name.toLowerCase()} that are given the role.`,
    cell: ({ subjects }) =>
      (subjects ?? [])
        .filter((subject) => subject.kind === kind)
        .map(print)
        .join(", "),
  };
}

export const roleColumn: Column<RoleBindingLike> = {
  name: "Role",
  type: "string",
  description: "The role that is given.",
  cell: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`,
};

export const subjectColumns: readonly Column<RoleBindingLike>[] = [
  subjectColumn("Users", "User", ({ name }) => name),
  subjectColumn("Groups", "Group", ({ name }) => name),
  subjectColumn(
    "ServiceAccounts",
    "ServiceAccount",
    ({ namespace, name }) => `${namespace ?? ""}/${name}`,
  ),
];
