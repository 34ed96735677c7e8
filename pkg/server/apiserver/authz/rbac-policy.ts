import type {
  ClusterRoleBinding,
  PolicyRule,
  RoleBinding,
  RoleRef,
  Subject,
} from "../../../api/generated/rbac-v1.generated.ts";
import { clusterRoleResource } from "../../../api/resources/clusterrole.ts";
import { clusterRoleBindingResource } from "../../../api/resources/clusterrolebinding.ts";
import { roleResource } from "../../../api/resources/role.ts";
import { roleBindingResource } from "../../../api/resources/rolebinding.ts";
import type { ObjectReader } from "../admission/admission.ts";
import type { UserInfo } from "../authn/authenticator.ts";
import type { ObjectFeed } from "./object-feed.ts";

/** One binding of a user to a role: where the rules come from, and the words for it. */
interface Grant {
  readonly rules: readonly PolicyRule[];
  /** As in `ClusterRoleBinding "x" of ClusterRole "y" to User "z"`. */
  readonly source: string;
}

/** What a user may do somewhere. */
interface Grants {
  readonly grants: Iterable<Grant>;
  /** Bindings whose role is not there, found while the grants were read. */
  readonly problems: readonly string[];
}

/** Roles and bindings, by subject. */
export interface RbacPolicy {
  /** Of the cluster's bindings, and of `namespace`'s, where it is not "". Roles are looked up as the caller goes on. */
  grantsFor(user: UserInfo, namespace: string): Grants;
  /** The rules a binding in `namespace` ("" for a ClusterRoleBinding) refers to; undefined where the role is not there. */
  rulesOf(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined;
  close(): void;
}

interface Entry {
  readonly binding: string;
  readonly roleRef: RoleRef;
  readonly namespace: string;
  readonly source: string;
}

/** The entries of one scope: subject → entries. */
type SubjectIndex = Map<string, Entry[]>;

/** Kept current by the feed, so that a decision costs only the bindings that name the user or its groups. */
export function createRbacPolicy(reader: ObjectReader, feed: ObjectFeed): RbacPolicy {
  const cluster: SubjectIndex = new Map();
  const namespaces = new Map<string, SubjectIndex>();
  const indexOf = (namespace: string): SubjectIndex => {
    if (namespace === "") return cluster;
    const index = namespaces.get(namespace) ?? new Map();
    namespaces.set(namespace, index);
    return index;
  };
  const change = (
    current: ClusterRoleBinding | RoleBinding | undefined,
    previous: ClusterRoleBinding | RoleBinding | undefined,
  ): void => {
    if (previous !== undefined) {
      const namespace = previous.metadata.namespace ?? "";
      const index = indexOf(namespace);
      forget(index, previous);
      if (namespace !== "" && index.size === 0) namespaces.delete(namespace);
    }
    if (current !== undefined) remember(indexOf(current.metadata.namespace ?? ""), current);
  };
  const stops = [
    feed.subscribe(clusterRoleBindingResource, change),
    feed.subscribe(roleBindingResource, change),
  ];
  const rulesOf = (roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined => {
    const role =
      roleRef.kind === "ClusterRole"
        ? reader.get(clusterRoleResource, undefined, roleRef.name)
        : reader.get(roleResource, namespace, roleRef.name);
    return role === undefined ? undefined : (role.rules ?? []);
  };
  return {
    rulesOf,
    grantsFor(user, namespace) {
      const problems: string[] = [];
      const scopes = [cluster];
      const local = namespace === "" ? undefined : namespaces.get(namespace);
      if (local !== undefined) scopes.push(local);
      return { problems, grants: grantsIn(scopes, subjectsOf(user), rulesOf, problems) };
    },
    close() {
      for (const stop of stops) stop();
    },
  };
}

function* grantsIn(
  scopes: readonly SubjectIndex[],
  subjects: readonly string[],
  rulesOf: RbacPolicy["rulesOf"],
  problems: string[],
): Iterable<Grant> {
  for (const scope of scopes) {
    for (const subject of subjects) {
      for (const entry of scope.get(subject) ?? []) {
        const rules = rulesOf(entry.roleRef, entry.namespace);
        if (rules !== undefined) {
          yield { rules, source: entry.source };
          continue;
        }
        const { kind, name } = entry.roleRef;
        const plural = kind === "ClusterRole" ? "clusterrole" : "role";
        const problem = `${plural}.rbac.authorization.k8s.io ${JSON.stringify(name)} not found`;
        if (!problems.includes(problem)) problems.push(problem);
      }
    }
  }
}

function subjectsOf(user: UserInfo): readonly string[] {
  return [`User:${user.username}`, ...user.groups.map((group) => `Group:${group}`)];
}

function remember(index: SubjectIndex, binding: ClusterRoleBinding | RoleBinding): void {
  const namespace = binding.metadata.namespace ?? "";
  const { kind, name } = binding.roleRef;
  const title =
    namespace === ""
      ? `ClusterRoleBinding ${JSON.stringify(binding.metadata.name)}`
      : `RoleBinding ${JSON.stringify(`${binding.metadata.name}/${namespace}`)}`;
  for (const subject of binding.subjects ?? []) {
    const key = subjectKey(subject, namespace);
    if (key === undefined) continue;
    const entry: Entry = {
      binding: binding.metadata.name,
      roleRef: binding.roleRef,
      namespace,
      source: `${title} of ${kind} ${JSON.stringify(name)} to ${describeSubject(subject, namespace)}`,
    };
    const entries = index.get(key);
    if (entries === undefined) index.set(key, [entry]);
    else entries.push(entry);
  }
}

function forget(index: SubjectIndex, binding: ClusterRoleBinding | RoleBinding): void {
  for (const subject of binding.subjects ?? []) {
    const key = subjectKey(subject, binding.metadata.namespace ?? "");
    if (key === undefined) continue;
    const left = (index.get(key) ?? []).filter((entry) => entry.binding !== binding.metadata.name);
    if (left.length === 0) index.delete(key);
    else index.set(key, left);
  }
}

/** A ServiceAccount is the user that its token stands for. */
function subjectKey(subject: Subject, bindingNamespace: string): string | undefined {
  switch (subject.kind) {
    case "User":
    case "Group":
      return `${subject.kind}:${subject.name}`;
    case "ServiceAccount": {
      const namespace = subject.namespace || bindingNamespace;
      return namespace === ""
        ? undefined
        : `User:system:serviceaccount:${namespace}:${subject.name}`;
    }
    default:
      return undefined;
  }
}

function describeSubject(subject: Subject, bindingNamespace: string): string {
  if (subject.kind !== "ServiceAccount") return `${subject.kind} ${JSON.stringify(subject.name)}`;
  const namespace = subject.namespace || bindingNamespace;
  return `${subject.kind} ${JSON.stringify(`${subject.name}/${namespace}`)}`;
}
