import type { FieldSelector } from "../../../api/fields.ts";
import type { PolicyRule } from "../../../api/generated/rbac-v1.generated.ts";
import type { UserInfo } from "../authn/authenticator.ts";
import type { Authorizer, Decision, RequestAttributes } from "./authorizer.ts";
import type { NodeGraph, NodeRelated } from "./node-graph.ts";
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
 * Lets a node do what `rules` say, and of what pods refer to only what has to do with its own pods; of pods and nodes
 * only its own to read, of Leases and CSINodes only its own to write. What it writes, NodeRestriction looks at.
 */
export function createNodeAuthorizer(rules: readonly PolicyRule[], graph: NodeGraph): Authorizer {
  return {
    authorize(attributes) {
      const nodeName = nodeNameOf(attributes.user);
      if (nodeName === undefined) return refused("");
      if (nodeName === "") {
        return refused(`unknown node for user ${JSON.stringify(attributes.user.username)}`);
      }
      if (attributes.type === "resource") {
        const decision = decide({ attributes, nodeName, graph });
        if (decision !== undefined) return decision;
      }
      return rules.some((rule) => ruleAllows(rule, attributes)) ? allowed : refused("");
    },
  };
}

type ResourceAttributes = Extract<RequestAttributes, { readonly type: "resource" }>;

interface Question {
  readonly attributes: ResourceAttributes;
  readonly nodeName: string;
  readonly graph: NodeGraph;
}

const reading: ReadonlySet<string> = new Set(["get", "list", "watch"]);
const keeping: ReadonlySet<string> = new Set(["get", "create", "update", "patch", "delete"]);

/** Undefined where the rules alone decide. */
function decide(question: Question): Decision | undefined {
  const { group, resource, subresource } = question.attributes;
  switch (group === "" ? resource : `${resource}.${group}`) {
    case "secrets":
    case "configmaps":
      return decideRead(question, resource as NodeRelated);
    case "persistentvolumeclaims":
      return subresource === "status"
        ? decideStatus(question, "persistentvolumeclaims")
        : decideGet(question, "persistentvolumeclaims");
    case "persistentvolumes":
    case "resourceclaims.resource.k8s.io":
    case "volumeattachments.storage.k8s.io":
      return decideGet(question, resource as NodeRelated);
    case "serviceaccounts":
      return decideServiceAccount(question);
    case "leases.coordination.k8s.io":
      return decideLease(question);
    case "csinodes.storage.k8s.io":
      return decideCsiNode(question);
    case "resourceslices.resource.k8s.io":
      return decideSlice(question);
    case "nodes":
      return decideNode(question);
    case "pods":
      return decidePod(question);
    default:
      return undefined;
  }
}

function decideRelated({ attributes, nodeName, graph }: Question, resource: NodeRelated): Decision {
  const { namespace, name } = attributes;
  if (name === "") return refused("No Object name found");
  return graph.relates(nodeName, resource, namespace, name)
    ? allowed
    : refused(`no relationship found between node '${nodeName}' and this object`);
}

function decideRead(question: Question, resource: NodeRelated): Decision {
  const { verb, subresource, namespace } = question.attributes;
  if (!reading.has(verb)) return refused("can only read resources of this type");
  if (subresource !== "") return refused("cannot read subresource");
  if (namespace === "") return refused("can only read namespaced object of this type");
  return decideRelated(question, resource);
}

function decideGet(question: Question, resource: NodeRelated): Decision {
  const { verb, subresource } = question.attributes;
  if (verb !== "get") return refused("can only get individual resources of this type");
  if (subresource !== "") return refused("cannot get subresource");
  return decideRelated(question, resource);
}

function decideStatus(question: Question, resource: NodeRelated): Decision {
  const { verb } = question.attributes;
  return verb === "update" || verb === "patch"
    ? decideRelated(question, resource)
    : refused("can only get/update/patch this type");
}

function decideServiceAccount(question: Question): Decision {
  const { verb, subresource, name } = question.attributes;
  if (verb === "get" && subresource === "") return decideRead(question, "serviceaccounts");
  if (verb !== "create" || name === "") {
    return refused("can only create tokens for individual service accounts");
  }
  if (subresource !== "token") {
    return refused("can only create token subresource of serviceaccount");
  }
  return decideRelated(question, "serviceaccounts");
}

function decideLease({ attributes, nodeName }: Question): Decision {
  const { verb, namespace, name } = attributes;
  if (!keeping.has(verb)) {
    return refused("can only get, create, update, patch, or delete a node lease");
  }
  if (namespace !== "kube-node-lease") {
    return refused(`can only access leases in the "kube-node-lease" system namespace`);
  }
  // The name of what is created is not known yet.
  if (verb !== "create" && name !== nodeName) {
    return refused("can only access node lease with the same name as the requesting node");
  }
  return allowed;
}

function decideCsiNode({ attributes, nodeName }: Question): Decision {
  const { verb, subresource, name } = attributes;
  if (!keeping.has(verb)) {
    return refused("can only get, create, update, patch, or delete a CSINode");
  }
  if (subresource !== "") return refused("cannot authorize CSINode subresources");
  if (verb !== "create" && name !== nodeName) {
    return refused("can only access CSINode with the same name as the requesting node");
  }
  return allowed;
}

function decideSlice(question: Question): Decision {
  const { attributes, nodeName } = question;
  if (attributes.subresource !== "") return refused("cannot authorize ResourceSlice subresources");
  switch (attributes.verb) {
    case "create":
      return allowed;
    case "get":
    case "update":
    case "patch":
    case "delete":
      return decideRelated(question, "resourceslices");
    case "watch":
    case "list":
    case "deletecollection":
      return selects(attributes.fieldSelector, "spec.nodeName", nodeName)
        ? allowed
        : refused(
            "can only list/watch/deletecollection resourceslices with nodeName field selector",
          );
    default:
      return refused(
        "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection",
      );
  }
}

function decideNode({ attributes, nodeName }: Question): Decision {
  const { verb, subresource, name } = attributes;
  if (subresource === "status")
    return verb === "update" || verb === "patch" ? allowed : refused("");
  if (subresource !== "") return refused("");
  if (verb === "create" || verb === "update" || verb === "patch") return allowed;
  if (!reading.has(verb)) return refused("");
  if (name === nodeName) return allowed;
  return refused(
    name === ""
      ? `node '${nodeName}' cannot read all nodes, only its own Node object`
      : `node '${nodeName}' cannot read '${name}', only its own Node object`,
  );
}

function decidePod(question: Question): Decision {
  const { attributes, nodeName } = question;
  const { verb, subresource, name, fieldSelector } = attributes;
  if (subresource === "status")
    return verb === "update" || verb === "patch" ? allowed : refused("");
  if (subresource === "eviction") return verb === "create" ? allowed : refused("");
  if (subresource !== "") return refused("");
  if (verb === "create" || verb === "delete") return allowed;
  if (verb === "get") return decideGet(question, "pods");
  if (verb !== "list" && verb !== "watch") return refused("");
  if (selects(fieldSelector, "spec.nodeName", nodeName)) return allowed;
  if (name !== "") return decideRelated(question, "pods");
  return refused("can only list/watch pods with spec.nodeName field selector");
}

function selects(selector: FieldSelector = [], field: string, value: string): boolean {
  return selector.some(
    (clause) => clause.field === field && clause.operator === "=" && clause.value === value,
  );
}
