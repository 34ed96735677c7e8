import type { ApiWorld } from "./api-world.ts";

/** Lets a user do whatever there is, without making them exempt from flow control. */
export async function allowEverything(world: ApiWorld, user: string): Promise<void> {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const rules = [
    { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
    { verbs: ["*"], nonResourceURLs: ["*"] },
  ];
  const metadata = { name: user };
  const role = { apiVersion, kind: "ClusterRole", metadata, rules };
  const binding = {
    apiVersion,
    kind: "ClusterRoleBinding",
    metadata,
    subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: user }],
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: user },
  };
  await world.request("POST", `/apis/${apiVersion}/clusterroles`, { body: role });
  await world.request("POST", `/apis/${apiVersion}/clusterrolebindings`, { body: binding });
}
