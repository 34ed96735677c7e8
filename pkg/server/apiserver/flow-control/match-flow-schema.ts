import type {
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from "../../../api/generated/flowcontrol-v1.generated.ts";
import type { UserInfo } from "../authn/authenticator.ts";
import type { RequestInfo } from "../request-info.ts";

/** Whether a FlowSchema means this request. */
export function matchesFlowSchema(
  { rules = [] }: FlowSchemaSpec,
  user: UserInfo,
  info: RequestInfo,
): boolean {
  for (const rule of rules) if (matchesRule(rule, user, info)) return true;
  return false;
}

function matchesRule(rule: PolicyRulesWithSubjects, user: UserInfo, info: RequestInfo): boolean {
  if (!rule.subjects.some((subject) => matchesSubject(subject, user))) return false;
  if (info.type === "path") {
    return rule.nonResourceRules?.some((each) => matchesPath(each, info)) ?? false;
  }
  return rule.resourceRules?.some((each) => matchesResource(each, info)) ?? false;
}

const serviceAccountPrefix = "system:serviceaccount:";

function matchesSubject(subject: Subject, user: UserInfo): boolean {
  switch (subject.kind) {
    case "User":
      return subject.user?.name === "*" || subject.user?.name === user.username;
    case "Group": {
      const name = subject.group?.name;
      return name === "*" || (name !== undefined && user.groups.includes(name));
    }
    case "ServiceAccount": {
      if (subject.serviceAccount === undefined) return false;
      const { namespace, name } = subject.serviceAccount;
      const prefix = `${serviceAccountPrefix}${namespace}:`;
      return name === "*" ? user.username.startsWith(prefix) : user.username === prefix + name;
    }
    default:
      return false;
  }
}

function matchesResource(
  rule: ResourcePolicyRule,
  info: Extract<RequestInfo, { type: "resource" }>,
): boolean {
  if (!contains(rule.verbs, info.verb)) return false;
  const { resource, subresource } = info;
  if (!contains(rule.resources, subresource === "" ? resource : `${resource}/${subresource}`)) {
    return false;
  }
  if (!contains(rule.apiGroups, info.group)) return false;
  if (info.namespace === "") return rule.clusterScope === true;
  return contains(rule.namespaces ?? [], info.namespace);
}

function matchesPath(
  rule: NonResourcePolicyRule,
  info: Extract<RequestInfo, { type: "path" }>,
): boolean {
  if (!contains(rule.verbs, info.verb)) return false;
  return rule.nonResourceURLs.some((url) => {
    if (url === "*" || url === info.path) return true;
    const bare = url.endsWith("*") ? url.slice(0, -1) : url;
    return info.path.startsWith(bare.endsWith("/") ? bare : `${bare}/`);
  });
}

/** A `*` means everything only where it stands alone. */
function contains(list: readonly string[], value: string): boolean {
  return list.includes(value) || (list.length === 1 && list[0] === "*");
}
