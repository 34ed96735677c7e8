import { expect, test } from "vitest";
import { ObjectWorld } from "../../../../test/support/object-world.ts";
import type { ClusterRole, ClusterRoleBinding } from "../../../api/generated/rbac-v1.generated.ts";
import { clusterRoleResource } from "../../../api/resources/clusterrole.ts";
import { clusterRoleBindingResource } from "../../../api/resources/clusterrolebinding.ts";
import { systemClock } from "../../../base/clock.ts";
import type { UserInfo } from "../authn/authenticator.ts";
import { createAuthorizerChain } from "../authz/chain.ts";
import { createRbacAuthorizer } from "../authz/rbac-authorizer.ts";
import { createRbacPolicy } from "../authz/rbac-policy.ts";
import { createReviews } from "./reviews.ts";

const meta = { uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
const jane: UserInfo = { username: "jane", groups: ["devs"], extra: { team: ["a"] } };

function post(kind: string, spec: object, user = jane, namespace?: string) {
  const world = new ObjectWorld();
  const apiVersion = "rbac.authorization.k8s.io/v1";
  world.put(clusterRoleResource, {
    apiVersion,
    kind: "ClusterRole",
    metadata: { ...meta, name: "reader" },
    rules: [
      { verbs: ["get"], apiGroups: [""], resources: ["pods"] },
      { verbs: ["get"], nonResourceURLs: ["/metrics"] },
    ],
  } satisfies ClusterRole);
  world.put(clusterRoleBindingResource, {
    apiVersion,
    kind: "ClusterRoleBinding",
    metadata: { ...meta, name: "b" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "reader" },
    subjects: [{ kind: "Group", name: "devs" }],
  } satisfies ClusterRoleBinding);
  const policy = createRbacPolicy(world, world);
  const reviews = createReviews({
    policy,
    authorizer: createAuthorizerChain([createRbacAuthorizer(policy)]),
    authenticateToken: (token, audiences = ["api"]) =>
      token === "good" ? { user: jane, audiences } : undefined,
    clock: systemClock,
  });
  const review = reviews.find((each) => each.resource.kind === kind);
  if (review?.create === undefined) throw new Error(`no ${kind}`);
  const context = {
    user,
    signal: new AbortController().signal,
    fieldManager: "test",
    warnings: [],
  };
  const draft = { apiVersion: "v1", kind, metadata: {}, spec };
  return review.create?.(context, namespace, draft as never, { dryRun: false } as never);
}

const pods = { verb: "get", resource: "pods", namespace: "default" };

test("may I? may they?", () => {
  const reason = 'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "reader" to Group "devs"';
  expect(post("SelfSubjectAccessReview", { resourceAttributes: pods })).toMatchObject({
    spec: { resourceAttributes: pods },
    status: { allowed: true, reason },
  });
  expect(
    post("SelfSubjectAccessReview", { nonResourceAttributes: { verb: "get", path: "/logs" } }),
  ).toMatchObject({ status: { allowed: false } });
  expect(
    post("SubjectAccessReview", { user: "x", groups: ["devs"], resourceAttributes: pods }),
  ).toMatchObject({ status: { allowed: true } });
  expect(post("SubjectAccessReview", { user: "x", resourceAttributes: pods })).toMatchObject({
    status: { allowed: false },
  });
});

test("a local review stays in its namespace", () => {
  const spec = { user: "x", groups: ["devs"], resourceAttributes: pods };
  expect(post("LocalSubjectAccessReview", spec, jane, "default")).toMatchObject({
    status: { allowed: true },
  });
  expect(() => post("LocalSubjectAccessReview", spec, jane, "other")).toThrow(
    "must match metadata.namespace",
  );
});

test("what may I do? who am I?", () => {
  expect(post("SelfSubjectRulesReview", { namespace: "default" })).toMatchObject({
    status: {
      resourceRules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }],
      nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/metrics"] }],
      incomplete: false,
    },
  });
  expect(post("SelfSubjectReview", {})).toMatchObject({
    status: { userInfo: { username: "jane", groups: ["devs"], extra: { team: ["a"] } } },
  });
});

test("whose token is this?", () => {
  expect(post("TokenReview", { token: "good", audiences: ["vault"] })).toMatchObject({
    status: { authenticated: true, user: { username: "jane" }, audiences: ["vault"] },
  });
  expect(post("TokenReview", { token: "bad" })).toMatchObject({
    status: { user: {}, error: "invalid bearer token" },
  });
});

const selecting = (selectors: object) => ({ resourceAttributes: { ...pods, ...selectors } });

test.each([
  [{ fieldSelector: { rawSelector: "spec.nodeName=n1" } }, undefined],
  [
    { fieldSelector: { rawSelector: "a==b==c,!" } },
    "spec.resourceAttributes.fieldSelector ignored due to parse error",
  ],
  [
    {
      fieldSelector: {
        requirements: [
          { key: "a", operator: "In", values: ["b"] },
          { key: "c", operator: "Exists" },
        ],
      },
      labelSelector: { requirements: [{ key: "a", operator: "Later", values: ["b"] }] },
    },
    "spec.resourceAttributes.fieldSelector partially ignored due to parse error; " +
      "spec.resourceAttributes.labelSelector ignored due to parse error",
  ],
])("a question that selects %j", (selectors, evaluationError) => {
  const answer = post("SelfSubjectAccessReview", selecting(selectors)) as {
    readonly status?: { readonly evaluationError?: string };
  };
  expect(answer.status?.evaluationError).toBe(evaluationError);
});

test.each([
  [
    { fieldSelector: {} },
    "spec.resourceAttributes.fieldSelector.requirements: Required value: when spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is required",
  ],
  [
    {
      labelSelector: { rawSelector: "a", requirements: [{ key: "a", operator: "Exists" }] },
    },
    'spec.resourceAttributes.labelSelector.rawSelector: Invalid value: "a": may not specified at the same time as requirements',
  ],
  [
    { fieldSelector: { requirements: [{ key: "", operator: "In" }] } },
    "spec.resourceAttributes.fieldSelector.requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
  ],
])("a question that selects %j is refused", (selectors, message) => {
  expect(() => post("SelfSubjectAccessReview", selecting(selectors))).toThrow(message);
});
