import { expect, test } from "vitest";
import { ObjectWorld } from "../../../../test/support/object-world.ts";
import { parseFieldSelector } from "../../../api/fields.ts";
import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import type { PolicyRule } from "../../../api/generated/rbac-v1.generated.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { clusterRoleResource } from "../../../api/resources/clusterrole.ts";
import { clusterRoleBindingResource } from "../../../api/resources/clusterrolebinding.ts";
import { persistentVolumeResource } from "../../../api/resources/persistentvolume.ts";
import { podResource } from "../../../api/resources/pod.ts";
import { resourceSliceResource } from "../../../api/resources/resourceslice.ts";
import { roleResource } from "../../../api/resources/role.ts";
import { roleBindingResource } from "../../../api/resources/rolebinding.ts";
import { volumeAttachmentResource } from "../../../api/resources/volumeattachment.ts";
import type { RequestAttributes } from "./authorizer.ts";
import { createAuthorizerChain } from "./chain.ts";
import { escalationProblem } from "./escalation.ts";
import { forbiddenError } from "./forbidden.ts";
import { createNodeAuthorizer } from "./node-authorizer.ts";
import { createNodeGraph } from "./node-graph.ts";
import { ruleAllows } from "./policy-rule.ts";
import { createRbacAuthorizer } from "./rbac-authorizer.ts";
import { createRbacPolicy } from "./rbac-policy.ts";

const rbac = "rbac.authorization.k8s.io/v1";

function ask(
  verb: string,
  what: string,
  where: {
    namespace?: string;
    name?: string;
    group?: string;
    user?: string;
    groups?: string[];
    fieldSelector?: string;
  } = {},
): RequestAttributes {
  const [resource = "", subresource = ""] = what.split("/");
  return {
    type: "resource",
    user: { username: where.user ?? "jane", groups: where.groups ?? ["devs"] },
    verb,
    group: where.group ?? "",
    version: "v1",
    resource,
    subresource,
    namespace: where.namespace ?? "",
    name: where.name ?? "",
    ...(where.fieldSelector === undefined
      ? {}
      : { fieldSelector: parseFieldSelector(where.fieldSelector) }),
  };
}

test.each<[string, PolicyRule, RequestAttributes, boolean]>([
  ["verb", { verbs: ["get"], apiGroups: [""], resources: ["pods"] }, ask("get", "pods"), true],
  [
    "other verb",
    { verbs: ["get"], apiGroups: [""], resources: ["pods"] },
    ask("list", "pods"),
    false,
  ],
  [
    "other group",
    { verbs: ["*"], apiGroups: ["apps"], resources: ["*"] },
    ask("get", "pods"),
    false,
  ],
  ["no group", { verbs: ["*"], resources: ["*"] }, ask("get", "pods"), false],
  ["all", { verbs: ["*"], apiGroups: ["*"], resources: ["*"] }, ask("get", "pods/log"), true],
  [
    "a kind is not its subresource",
    { verbs: ["*"], apiGroups: [""], resources: ["pods"] },
    ask("get", "pods/log"),
    false,
  ],
  [
    "each kind's scale",
    { verbs: ["*"], apiGroups: ["*"], resources: ["*/scale"] },
    ask("get", "deployments/scale"),
    true,
  ],
  [
    "no other subresource",
    { verbs: ["*"], apiGroups: ["*"], resources: ["*/scale"] },
    ask("get", "pods/log"),
    false,
  ],
  [
    "a name",
    { verbs: ["*"], apiGroups: [""], resources: ["pods"], resourceNames: ["a"] },
    ask("get", "pods", { name: "a" }),
    true,
  ],
  [
    "another name",
    { verbs: ["*"], apiGroups: [""], resources: ["pods"], resourceNames: ["a"] },
    ask("list", "pods"),
    false,
  ],
])("%s", (_what, rule, attributes, expected) => {
  expect(ruleAllows(rule, attributes)).toBe(expected);
});

test.each([
  ["/healthz", "/healthz", true],
  ["/healthz", "/healthz/etcd", false],
  ["/apis/*", "/apis/apps", true],
  ["/apis/*", "/apis", false],
  ["*", "/anything", true],
])("a rule for path %s and %s", (url, path, expected) => {
  const user = { username: "jane", groups: [] };
  const rule = { verbs: ["get"], nonResourceURLs: [url] };
  expect(ruleAllows(rule, { type: "path", user, verb: "get", path })).toBe(expected);
});

function world() {
  const fake = new ObjectWorld();
  const policy = createRbacPolicy(fake, fake);
  const authorizer = createAuthorizerChain([createRbacAuthorizer(policy)]);
  const role = (name: string, rules: readonly PolicyRule[], namespace?: string) =>
    namespace === undefined
      ? fake.put(clusterRoleResource, {
          apiVersion: rbac,
          kind: "ClusterRole",
          metadata: meta(name),
          rules,
        })
      : fake.put(roleResource, {
          apiVersion: rbac,
          kind: "Role",
          metadata: meta(name, namespace),
          rules,
        });
  const bind = (
    name: string,
    roleKind: string,
    roleName: string,
    subject: object,
    namespace?: string,
  ) =>
    fake.put<KubernetesObject>(
      (namespace === undefined ? clusterRoleBindingResource : roleBindingResource) as never,
      {
        apiVersion: rbac,
        kind: namespace === undefined ? "ClusterRoleBinding" : "RoleBinding",
        metadata: meta(name, namespace),
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: roleKind, name: roleName },
        subjects: [subject],
      } as never,
    );
  return { fake, policy, authorizer, role, bind };
}

function meta(name: string, namespace?: string): KubernetesObject["metadata"] {
  return {
    name,
    uid: name,
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
    ...(namespace === undefined ? {} : { namespace }),
  };
}

const readPods = [{ verbs: ["get", "list"], apiGroups: [""], resources: ["pods"] }];

test("a cluster's binding counts everywhere, a namespace's only there", () => {
  const { authorizer, role, bind } = world();
  role("reader", readPods);
  role("reader", readPods, "shop");
  bind("all", "ClusterRole", "reader", { kind: "Group", name: "ops" });
  bind("some", "Role", "reader", { kind: "User", name: "jane" }, "shop");
  expect(authorizer.authorize(ask("list", "pods", { groups: ["ops"], user: "x" }))).toEqual({
    allowed: true,
    reason: 'RBAC: allowed by ClusterRoleBinding "all" of ClusterRole "reader" to Group "ops"',
  });
  expect(authorizer.authorize(ask("list", "pods", { namespace: "shop" }))).toEqual({
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "some/shop" of Role "reader" to User "jane"',
  });
  expect(authorizer.authorize(ask("list", "pods", { namespace: "other" })).allowed).toBe(false);
  expect(authorizer.authorize(ask("list", "pods")).allowed).toBe(false);
});

test("a ServiceAccount is bound by its name and namespace", () => {
  const { authorizer, role, bind } = world();
  role("reader", readPods);
  bind("sa", "ClusterRole", "reader", { kind: "ServiceAccount", name: "bot", namespace: "ci" });
  const user = "system:serviceaccount:ci:bot";
  expect(authorizer.authorize(ask("get", "pods", { user })).reason).toBe(
    'RBAC: allowed by ClusterRoleBinding "sa" of ClusterRole "reader" to ServiceAccount "bot/ci"',
  );
  expect(authorizer.authorize(ask("get", "pods", { user: `${user}x` })).allowed).toBe(false);
});

test("what changes counts at once", () => {
  const { fake, authorizer, role, bind } = world();
  role("reader", readPods);
  const question = ask("get", "pods");
  expect(authorizer.authorize(question).allowed).toBe(false);
  bind("b", "ClusterRole", "reader", { kind: "User", name: "jane" });
  expect(authorizer.authorize(question).allowed).toBe(true);
  bind("b", "ClusterRole", "reader", { kind: "User", name: "john" });
  expect(authorizer.authorize(question).allowed).toBe(false);
  bind("b", "ClusterRole", "reader", { kind: "Group", name: "devs" });
  role("reader", []);
  expect(authorizer.authorize(question).allowed).toBe(false);
  role("reader", readPods);
  expect(authorizer.authorize(question).allowed).toBe(true);
  fake.remove(clusterRoleBindingResource, undefined, "b");
  expect(authorizer.authorize(question).allowed).toBe(false);
});

test("a missing role is named", () => {
  const { authorizer, bind } = world();
  bind("b", "ClusterRole", "gone", { kind: "User", name: "jane" });
  expect(authorizer.authorize(ask("get", "pods"))).toEqual({
    allowed: false,
    reason: 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found',
  });
});

test("system:masters may do everything", () => {
  const { authorizer } = world();
  const attributes = ask("anything", "pods", { groups: ["system:masters"] });
  expect(authorizer.authorize(attributes).allowed).toBe(true);
});

test.each([
  [
    ask("list", "pods", { namespace: "default" }),
    'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"',
  ],
  [
    ask("get", "deployments/scale", { group: "apps", namespace: "a", name: "web" }),
    'deployments.apps "web" is forbidden: User "jane" cannot get resource "deployments/scale" in API group "apps" in the namespace "a"',
  ],
  [
    ask("list", "nodes"),
    'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope',
  ],
  [
    {
      type: "path",
      verb: "get",
      path: "/metrics",
      user: { username: "jane", groups: [] },
    } as const,
    'forbidden: User "jane" cannot get path "/metrics"',
  ],
])("a refusal says who, what and where", (attributes, message) => {
  expect(forbiddenError(attributes, { allowed: false, reason: "" }).message).toBe(message);
});

test("nobody grants what they do not hold", () => {
  const { policy, role, bind } = world();
  role("reader", readPods, "shop");
  bind("b", "Role", "reader", { kind: "User", name: "jane" }, "shop");
  const jane = { username: "jane", groups: ["devs", "system:authenticated"] };
  expect(escalationProblem(policy, jane, "shop", readPods)).toBeUndefined();
  const more = [
    { verbs: ["get", "delete", "create"], apiGroups: [""], resources: ["pods", "secrets"] },
  ];
  expect(escalationProblem(policy, jane, "shop", more)).toBe(
    'user "jane" (groups=["devs" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
      '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "create"]}\n' +
      '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete" "create"]}',
  );
  expect(escalationProblem(policy, jane, "", readPods)).toContain("not currently held");
});

test("a node reads what its pods refer to, and nothing else", () => {
  const fake = new ObjectWorld();
  const authorizer = createNodeAuthorizer(
    [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }],
    createNodeGraph(fake, fake),
  );
  const node = { user: "system:node:n1", groups: ["system:nodes"], namespace: "shop" };
  const may = (verb: string, what: string, name: string) =>
    authorizer.authorize(ask(verb, what, { ...node, name })).allowed;
  const pod = (nodeName: string) => ({
    apiVersion: "v1" as const,
    kind: "Pod" as const,
    metadata: meta("web", "shop"),
    spec: {
      nodeName,
      serviceAccountName: "bot",
      containers: [
        { name: "c", env: [{ name: "P", valueFrom: { secretKeyRef: { name: "db", key: "p" } } }] },
      ],
      volumes: [{ name: "v", configMap: { name: "page" } }],
    },
  });
  fake.put(podResource, pod("n2") as unknown as Pod);
  expect(may("get", "secrets", "db")).toBe(false);
  fake.put(podResource, pod("n1") as unknown as Pod);
  expect(may("get", "secrets", "db")).toBe(true);
  expect(may("watch", "configmaps", "page")).toBe(true);
  expect(may("create", "serviceaccounts/token", "bot")).toBe(true);
  expect(may("get", "secrets", "other")).toBe(false);
  expect(may("list", "secrets", "")).toBe(false);
  expect(may("update", "secrets", "db")).toBe(false);
  expect(may("create", "serviceaccounts/token", "default")).toBe(false);
  expect(may("get", "pods", "web")).toBe(true);
  fake.remove(podResource, "shop", "web");
  expect(may("get", "secrets", "db")).toBe(false);
});

test("a node reads its own pods and its own Node, and finds no others", () => {
  const fake = new ObjectWorld();
  const reads = (resources: string[]) => ({
    verbs: ["get", "list", "watch"],
    apiGroups: [""],
    resources,
  });
  const authorizer = createNodeAuthorizer([reads(["pods", "nodes"])], createNodeGraph(fake, fake));
  const may = (verb: string, what: string, where: Parameters<typeof ask>[2]) =>
    authorizer.authorize(
      ask(verb, what, { user: "system:node:n1", groups: ["system:nodes"], ...where }),
    );
  const pod = (name: string, nodeName: string) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: meta(name, "shop"),
    spec: { nodeName, containers: [{ name: "c" }] },
  });
  fake.put(podResource, pod("mine", "n1") as unknown as Pod);
  fake.put(podResource, pod("theirs", "n2") as unknown as Pod);
  expect(may("list", "pods", {})).toEqual({
    allowed: false,
    reason: "can only list/watch pods with spec.nodeName field selector",
  });
  expect(may("watch", "pods", { fieldSelector: "spec.nodeName=n1" }).allowed).toBe(true);
  expect(may("list", "pods", { fieldSelector: "spec.nodeName=n2" }).allowed).toBe(false);
  expect(may("list", "pods", { fieldSelector: "spec.nodeName!=n1" }).allowed).toBe(false);
  expect(may("get", "pods", { namespace: "shop", name: "mine" }).allowed).toBe(true);
  expect(may("get", "pods", { namespace: "shop", name: "theirs" }).allowed).toBe(false);
  expect(may("get", "nodes", { name: "n1" }).allowed).toBe(true);
  expect(may("get", "nodes", { name: "n2" }).allowed).toBe(false);
  expect(may("list", "nodes", {}).allowed).toBe(false);
});

test("a node writes its own Lease only", () => {
  const nothing = new ObjectWorld();
  const authorizer = createNodeAuthorizer([], createNodeGraph(nothing, nothing));
  const may = (namespace: string, name: string) =>
    authorizer.authorize(
      ask("update", "leases", {
        group: "coordination.k8s.io",
        namespace,
        name,
        user: "system:node:n1",
        groups: ["system:nodes"],
      }),
    ).allowed;
  expect(may("kube-node-lease", "n1")).toBe(true);
  expect(may("kube-node-lease", "n2")).toBe(false);
  expect(may("kube-system", "n1")).toBe(false);
});

const storage = { group: "storage.k8s.io" };
const dra = { group: "resource.k8s.io" };
const shop = { namespace: "shop" };

test.each([
  ["get", "persistentvolumeclaims", { ...shop, name: "data" }, true],
  ["get", "persistentvolumeclaims", { ...shop, name: "web-scratch" }, true],
  [
    "get",
    "persistentvolumeclaims",
    { ...shop, name: "other" },
    "no relationship found between node 'n1' and this object",
  ],
  ["list", "persistentvolumeclaims", shop, "can only get individual resources of this type"],
  ["patch", "persistentvolumeclaims/status", { ...shop, name: "data" }, true],
  [
    "get",
    "persistentvolumeclaims/status",
    { ...shop, name: "data" },
    "can only get/update/patch this type",
  ],
  ["get", "persistentvolumes", { name: "disk" }, true],
  [
    "get",
    "persistentvolumes",
    { name: "free" },
    "no relationship found between node 'n1' and this object",
  ],
  ["get", "secrets", { namespace: "csi", name: "stage" }, true],
  [
    "get",
    "secrets",
    { namespace: "csi", name: "publish" },
    "no relationship found between node 'n1' and this object",
  ],
  ["get", "secrets", shop, "No Object name found"],
  ["list", "secrets", {}, "can only read namespaced object of this type"],
  ["get", "volumeattachments", { ...storage, name: "ours" }, true],
  [
    "get",
    "volumeattachments",
    { ...storage, name: "theirs" },
    "no relationship found between node 'n1' and this object",
  ],
  ["get", "resourceclaims", { ...dra, ...shop, name: "gpu" }, true],
  ["get", "resourceclaims", { ...dra, ...shop, name: "web-made" }, true],
  ["get", "serviceaccounts", { ...shop, name: "bot" }, true],
  ["list", "serviceaccounts", shop, "can only create tokens for individual service accounts"],
  ["update", "csinodes", { ...storage, name: "n1" }, true],
  [
    "update",
    "csinodes",
    { ...storage, name: "n2" },
    "can only access CSINode with the same name as the requesting node",
  ],
  ["list", "resourceslices", { ...dra, fieldSelector: "spec.nodeName=n1" }, true],
  [
    "list",
    "resourceslices",
    dra,
    "can only list/watch/deletecollection resourceslices with nodeName field selector",
  ],
  ["delete", "resourceslices", { ...dra, name: "slice" }, true],
  ["patch", "nodes/status", { name: "n1" }, true],
  ["delete", "nodes", { name: "n1" }, ""],
  ["create", "pods/eviction", { ...shop, name: "web" }, true],
  ["get", "pods/log", { ...shop, name: "web" }, ""],
])("node n1: %s %s %j", (verb, what, where, expected) => {
  const world = new ObjectWorld();
  const put = (resource: unknown, object: object) => world.put(resource as never, object as never);
  put(podResource, {
    metadata: meta("web", "shop"),
    spec: {
      nodeName: "n1",
      serviceAccountName: "bot",
      containers: [],
      resourceClaims: [{ name: "g", resourceClaimName: "gpu" }],
      volumes: [
        { name: "v", persistentVolumeClaim: { claimName: "data" } },
        { name: "scratch", ephemeral: {} },
      ],
    },
    status: { resourceClaimStatuses: [{ name: "m", resourceClaimName: "web-made" }] },
  });
  put(persistentVolumeResource, {
    metadata: meta("disk"),
    spec: {
      claimRef: { namespace: "shop", name: "data" },
      csi: {
        nodeStageSecretRef: { namespace: "csi", name: "stage" },
        controllerPublishSecretRef: { namespace: "csi", name: "publish" },
      },
    },
  });
  put(persistentVolumeResource, { metadata: meta("free"), spec: {} });
  put(volumeAttachmentResource, { metadata: meta("ours"), spec: { nodeName: "n1" } });
  put(volumeAttachmentResource, { metadata: meta("theirs"), spec: { nodeName: "n2" } });
  put(resourceSliceResource, { metadata: meta("slice"), spec: { nodeName: "n1" } });
  const authorizer = createNodeAuthorizer([], createNodeGraph(world, world));
  const user = { user: "system:node:n1", groups: ["system:nodes"] };
  const decision = authorizer.authorize(ask(verb, what, { ...user, ...where }));
  expect(decision).toEqual(
    expected === true ? { allowed: true, reason: "" } : { allowed: false, reason: expected },
  );
});
