import { describe, expect, test } from "vitest";
import { createdFromYaml, problemsOf } from "../../../test/support/decode-yaml.ts";
import { clusterRoleResource } from "./clusterrole.ts";
import { clusterRoleBindingResource } from "./clusterrolebinding.ts";
import { roleResource } from "./role.ts";
import { roleBindingResource } from "./rolebinding.ts";

const head = (kind: string) =>
  `apiVersion: rbac.authorization.k8s.io/v1, kind: ${kind}, metadata: {name: a, namespace: team}`;

describe("what a role allows", () => {
  test.each<[string, string[]]>([
    ['{verbs: [get], apiGroups: [""], resources: [pods]}', []],
    [
      '{apiGroups: [""], resources: [pods]}',
      ["rules[0].verbs: Required value: verbs must contain at least one value"],
    ],
    [
      "{verbs: [get]}",
      [
        "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
        "rules[0].resources: Required value: resource rules must supply at least one resource",
      ],
    ],
    [
      "{verbs: [get], nonResourceURLs: [/healthz]}",
      [
        "rules[0].nonResourceURLs: Invalid value: namespaced rules cannot apply to non-resource URLs",
      ],
    ],
  ])("%s", (rule, expected) => {
    const role = createdFromYaml(roleResource, `{${head("Role")}, rules: [${rule}]}`);
    expect(problemsOf(roleResource, role)).toEqual(expected);
  });

  test("a cluster's role may speak of paths", () => {
    const role = createdFromYaml(
      clusterRoleResource,
      `{${head("ClusterRole")}, rules: [{verbs: [get], nonResourceURLs: [/healthz]}]}`,
    );
    expect(problemsOf(clusterRoleResource, role)).toEqual([]);
  });
});

describe("who is given a role", () => {
  const binding = (rest: string) =>
    createdFromYaml(roleBindingResource, `{${head("RoleBinding")}, ${rest}}`);
  const good = binding(
    "roleRef: {kind: Role, name: r}, subjects: [{kind: User, name: u}, {kind: ServiceAccount, name: s, namespace: team}]",
  );

  test("groups of the API are filled in", () => {
    expect(good.roleRef.apiGroup).toBe("rbac.authorization.k8s.io");
    expect(good.subjects).toEqual([
      { kind: "User", name: "u", apiGroup: "rbac.authorization.k8s.io" },
      { kind: "ServiceAccount", name: "s", namespace: "team" },
    ]);
    expect(problemsOf(roleBindingResource, good)).toEqual([]);
  });

  test("mistakes are told", () => {
    expect(
      problemsOf(
        roleBindingResource,
        binding("roleRef: {kind: Rule, name: ''}, subjects: [{kind: Robot, name: s}]"),
      ),
    ).toEqual([
      'roleRef.kind: Unsupported value: supported values: "Role", "ClusterRole"',
      "roleRef.name: Required value",
      'subjects[0].kind: Unsupported value: supported values: "ServiceAccount", "User", "Group"',
    ]);
  });

  test("in the whole cluster an account has a namespace", () => {
    const wide = createdFromYaml(
      clusterRoleBindingResource,
      `{${head("ClusterRoleBinding")}, roleRef: {kind: ClusterRole, name: r}, subjects: [{kind: ServiceAccount, name: s}]}`,
    );
    expect(problemsOf(clusterRoleBindingResource, wide)).toEqual([
      "subjects[0].namespace: Required value",
    ]);
  });

  test("the role of a binding does not change", () => {
    const other = binding("roleRef: {kind: ClusterRole, name: r}");
    expect(roleBindingResource.validateUpdate?.(other, good)).toMatchObject([
      { path: "roleRef", detail: "cannot change roleRef" },
    ]);
  });
});
