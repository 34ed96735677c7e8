import type { PolicyRule } from "../../../api/generated/rbac-v1.generated.ts";
import type { UserInfo } from "../authn/authenticator.ts";
import type { Authorizer, Decision, RequestAttributes } from "./authorizer.ts";
import type { NodePods } from "./node-pods.ts";
import { ruleAllows } from "./policy-rule.ts";

/** The node a request comes from; undefined where it is none's. */
export function nodeNameOf(user: UserInfo): string | undefined {
  const prefix = "system:node:";
  if (!user.username.startsWith(prefix) || !user.groups.includes("system:nodes")) return undefined;
  return user.username.slice(prefix.length);
}

const allowed: Decision = { allowed: true, reason: "" };
const refused = (reason: string): Decision => ({ allowed: false, reason });

/**
 * Lets a node do what `rules` say, and of secrets, config maps and service account tokens only what its own pods
 * refer to; of pods and nodes only its own to read, of Leases only its own to write.
 */
export function createNodeAuthorizer(rules: readonly PolicyRule[], pods: NodePods): Authorizer {
  return {
    authorize(attributes) {
      const nodeName = nodeNameOf(attributes.user);
      if (nodeName === undefined) return refused("");
      if (attributes.type === "resource") {
        const decision = decideByRelation(attributes, nodeName, pods);
        if (decision !== undefined) return decision;
      }
      return rules.some((rule) => ruleAllows(rule, attributes)) ? allowed : refused("");
    },
  };
}

type ResourceAttributes = Extract<RequestAttributes, { readonly type: "resource" }>;

/** Undefined where the rules alone decide. */
function decideByRelation(
  attributes: ResourceAttributes,
  nodeName: string,
  pods: NodePods,
): Decision | undefined {
  const { group, resource, subresource, namespace, name, verb } = attributes;
  switch (group === "" ? resource : `${resource}.${group}`) {
    case "secrets":
    case "configmaps": {
      if (!["get", "list", "watch"].includes(verb)) {
        return refused("can only read resources of this type");
      }
      if (subresource !== "") return refused("cannot read subresource");
      if (name === "") return refused("can only read namespaced object of this type");
      const related = pods.refersTo(
        nodeName,
        resource as "secrets" | "configmaps",
        namespace,
        name,
      );
      return related ? allowed : refused(unrelated(nodeName));
    }
    case "pods":
      return decidePod(attributes, nodeName, pods);
    case "nodes":
      return decideNode(attributes, nodeName);
    case "serviceaccounts":
      if (verb !== "create" || subresource !== "token") return undefined;
      if (name === "") return refused("must specify a service account");
      return pods.runsAs(nodeName, namespace, name) ? allowed : refused(unrelated(nodeName));
    case "leases.coordination.k8s.io":
      return decideLease(attributes, nodeName);
    default:
      return undefined;
  }
}

/** Which pods a node may write, NodeRestriction knows. */
function decidePod(
  { verb, subresource, namespace, name, fieldSelector = [] }: ResourceAttributes,
  nodeName: string,
  pods: NodePods,
): Decision | undefined {
  if (subresource !== "" || !["get", "list", "watch"].includes(verb)) return undefined;
  const selectsOwn = fieldSelector.some(
    ({ field, operator, value }) =>
      field === "spec.nodeName" && operator === "=" && value === nodeName,
  );
  if (selectsOwn && verb !== "get") return allowed;
  if (name !== "") {
    return pods.isOn(nodeName, namespace, name) ? allowed : refused(unrelated(nodeName));
  }
  return refused("can only list/watch pods with spec.nodeName field selector");
}

/** Which nodes a node may write, NodeRestriction knows. */
function decideNode(
  { verb, subresource, name }: ResourceAttributes,
  nodeName: string,
): Decision | undefined {
  if (subresource !== "" || !["get", "list", "watch"].includes(verb)) return undefined;
  if (name === nodeName) return allowed;
  return refused(
    name === ""
      ? `node '${nodeName}' cannot read all nodes, only its own Node object`
      : `node '${nodeName}' cannot read '${name}', only its own Node object`,
  );
}

function decideLease(attributes: ResourceAttributes, nodeName: string): Decision {
  const { verb, namespace, name } = attributes;
  if (!["get", "create", "update", "patch", "delete"].includes(verb)) {
    return refused("can only get, create, update, patch, or delete a node lease");
  }
  if (namespace !== "kube-node-lease") {
    return refused(`can only access leases in the "kube-node-lease" system namespace`);
  }
  // The name of what is created is not known yet: NodeRestriction checks it.
  if (verb !== "create" && name !== nodeName) {
    return refused("can only access node lease with the same name as the requesting node");
  }
  return allowed;
}

function unrelated(nodeName: string): string {
  return `no relationship found between node '${nodeName}' and this object`;
}
