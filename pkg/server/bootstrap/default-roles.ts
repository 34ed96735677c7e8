import type {
  ClusterRole,
  ClusterRoleBinding,
  Role,
  RoleBinding,
} from "../../api/generated/rbac-v1.generated.ts";
import type { NewObject } from "../../api/object.ts";
import { type DefaultClusterRole, defaultClusterRoles } from "./cluster-roles.ts";
import { controllerRules } from "./controller-roles.ts";
import { defaultRoleMeta } from "./reconcile-roles.ts";
import {
  type DefaultBinding,
  defaultClusterRoleBindings,
  ownClusterRoles,
  systemAccount,
  systemRoles,
} from "./role-bindings.ts";

const apiVersion = "rbac.authorization.k8s.io/v1";
const apiGroup = "rbac.authorization.k8s.io";

const meta = (name: string, labels: Readonly<Record<string, string>> = {}) => ({
  name,
  annotations: defaultRoleMeta.annotations,
  labels: { ...defaultRoleMeta.labels, ...labels },
});

const controllerRole = (name: string) => `system:controller:${name}`;

/** Every ClusterRole that a cluster begins with. */
export function newClusterRoles(): readonly NewObject<ClusterRole>[] {
  const controllers = Object.entries(controllerRules).map(([name, rules]) => ({
    name: controllerRole(name),
    rules,
  }));
  const all: readonly DefaultClusterRole[] = [
    ...defaultClusterRoles,
    ...controllers,
    ...ownClusterRoles,
  ];
  return all.map(({ name, labels = {}, rules, aggregationRule }) => ({
    apiVersion,
    kind: "ClusterRole",
    metadata: meta(name, labels),
    rules,
    ...(aggregationRule === undefined ? {} : { aggregationRule }),
  }));
}

export function newClusterRoleBindings(): readonly NewObject<ClusterRoleBinding>[] {
  const controllers: readonly DefaultBinding[] = Object.keys(controllerRules).map((name) => ({
    name: controllerRole(name),
    subjects: [systemAccount(name)],
  }));
  return [...defaultClusterRoleBindings, ...controllers].map((binding) => ({
    apiVersion,
    kind: "ClusterRoleBinding",
    metadata: meta(binding.name),
    roleRef: { apiGroup, kind: "ClusterRole", name: binding.role ?? binding.name },
    subjects: binding.subjects,
  }));
}

export function newSystemRoles(): readonly NewObject<Role>[] {
  return systemRoles.map(({ namespace, name, rules }) => ({
    apiVersion,
    kind: "Role",
    metadata: { ...meta(name), namespace },
    rules,
  }));
}

export function newSystemRoleBindings(): readonly NewObject<RoleBinding>[] {
  return systemRoles.map(({ namespace, name, binding }) => ({
    apiVersion,
    kind: "RoleBinding",
    metadata: { ...meta(binding.name), namespace },
    roleRef: { apiGroup, kind: "Role", name },
    subjects: binding.subjects,
  }));
}
