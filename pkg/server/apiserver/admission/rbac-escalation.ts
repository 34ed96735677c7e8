import { ApiError } from "../../../api/api-error.ts";
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
} from "../../../api/generated/rbac-v1.generated.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { equalJson } from "../../../api/patch/json-value.ts";
import type { Authorizer } from "../authz/authorizer.ts";
import { escalationProblem } from "../authz/escalation.ts";
import type { RbacPolicy } from "../authz/rbac-policy.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { metaOf } from "./refusal.ts";

const group = "rbac.authorization.k8s.io";
const everything: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

export interface RbacEscalationDeps {
  readonly policy: RbacPolicy;
  readonly authorizer: Authorizer;
}

/** Nobody grants, by a role or a binding, what they do not hold, unless they may `escalate` or `bind`. */
export function createRbacEscalationCheck(deps: RbacEscalationDeps): AdmissionPlugin {
  return {
    name: "RBACEscalation",
    validate(request) {
      if (request.resource.group !== group || request.subresource !== "") return;
      if (request.operation !== "CREATE" && request.operation !== "UPDATE") return;
      if (request.user.groups.includes("system:masters")) return;
      if (onlyOwnersChanged(request)) return;
      switch (request.resource.plural) {
        case "roles":
        case "clusterroles":
          checkRole(deps, request, request.object as Role | ClusterRole);
          break;
        case "rolebindings":
        case "clusterrolebindings":
          checkBinding(deps, request, request.object as RoleBinding | ClusterRoleBinding);
          break;
      }
    },
  };
}

/** The garbage collector takes owners and finalizers away without holding the roles. */
function onlyOwnersChanged({ object, previous }: AdmissionRequest): boolean {
  if (previous === undefined) return false;
  const plain = (value: KubernetesObject) => {
    const { ownerReferences, finalizers, managedFields, ...metadata } = value.metadata;
    return { ...value, metadata };
  };
  return equalJson(plain(object as KubernetesObject), plain(previous));
}

function checkRole(
  deps: RbacEscalationDeps,
  request: AdmissionRequest,
  role: Role | ClusterRole,
): void {
  const name = metaOf(request).name ?? request.name;
  // A request to create names nothing: who may escalate some roles only may not by creating them.
  const asked = request.operation === "CREATE" ? "" : name;
  if (isAuthorized(deps, request, "escalate", request.resource.plural, asked)) return;
  const namespace = request.namespace ?? "";
  const problem = escalationProblem(deps.policy, request.user, namespace, role.rules ?? []);
  if (problem !== undefined) throw ApiError.forbidden(request.resource, name, problem);
  if (!aggregates(role) && !aggregates(request.previous)) return;
  if (escalationProblem(deps.policy, request.user, namespace, everything) !== undefined) {
    throw ApiError.forbidden(
      request.resource,
      name,
      "must have cluster-admin privileges to use the aggregationRule",
    );
  }
}

/** It gathers whatever others come to grant, and what it gathered must not be tightened by just anybody. */
function aggregates(role: KubernetesObject | undefined): boolean {
  if (role?.kind !== "ClusterRole") return false;
  const { aggregationRule } = role as ClusterRole;
  return (aggregationRule?.clusterRoleSelectors?.length ?? 0) > 0;
}

function checkBinding(
  deps: RbacEscalationDeps,
  request: AdmissionRequest,
  binding: RoleBinding | ClusterRoleBinding,
): void {
  const name = metaOf(request).name ?? request.name;
  const { roleRef } = binding;
  const plural = roleRef.kind === "ClusterRole" ? "clusterroles" : "roles";
  if (isAuthorized(deps, request, "bind", plural, roleRef.name)) return;
  const namespace = request.namespace ?? "";
  const rules = deps.policy.rulesOf(roleRef, namespace);
  if (rules === undefined) throw ApiError.notFound({ group, plural }, roleRef.name);
  const problem = escalationProblem(deps.policy, request.user, namespace, rules);
  if (problem !== undefined) throw ApiError.forbidden(request.resource, name, problem);
}

function isAuthorized(
  deps: RbacEscalationDeps,
  request: AdmissionRequest,
  verb: string,
  resource: string,
  name: string,
): boolean {
  return deps.authorizer.authorize({
    type: "resource",
    user: request.user,
    verb,
    group,
    version: "v1",
    resource,
    subresource: "",
    namespace: request.namespace ?? "",
    name,
  }).allowed;
}
