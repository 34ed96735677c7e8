import type { PolicyRule, Subject } from "../../api/generated/rbac-v1.generated.ts";
import { eventsRule, rule } from "./rules.ts";

const group = "rbac.authorization.k8s.io";
const user = (name: string): Subject => ({ apiGroup: group, kind: "User", name });
const groupOf = (name: string): Subject => ({ apiGroup: group, kind: "Group", name });

/** A ServiceAccount of kube-system. */
export const systemAccount = (name: string): Subject => ({
  kind: "ServiceAccount",
  name,
  namespace: "kube-system",
});

/** A binding that every cluster has. */
export interface DefaultBinding {
  readonly name: string;
  /** Default: `name`. */
  readonly role?: string;
  readonly subjects: readonly Subject[];
}

export const defaultClusterRoleBindings: readonly DefaultBinding[] = [
  { name: "cluster-admin", subjects: [groupOf("system:masters")] },
  { name: "system:monitoring", subjects: [groupOf("system:monitoring")] },
  { name: "system:discovery", subjects: [groupOf("system:authenticated")] },
  { name: "system:basic-user", subjects: [groupOf("system:authenticated")] },
  {
    name: "system:public-info-viewer",
    subjects: [groupOf("system:authenticated"), groupOf("system:unauthenticated")],
  },
  // The node authorizer speaks for nodes; upstream keeps the empty binding for those who fill it in.
  { name: "system:node", subjects: [] },
  { name: "system:node-proxier", subjects: [user("system:kube-proxy")] },
  { name: "system:kube-controller-manager", subjects: [user("system:kube-controller-manager")] },
  { name: "system:kube-dns", subjects: [systemAccount("kube-dns")] },
  { name: "system:kube-scheduler", subjects: [user("system:kube-scheduler")] },
  { name: "system:volume-scheduler", subjects: [user("system:kube-scheduler")] },
  {
    name: "system:service-account-issuer-discovery",
    subjects: [groupOf("system:serviceaccounts")],
  },
  // One agent with one identity is kubelet, proxy, DNS and network policy of its node.
  { name: "mini8s:node-proxier", role: "system:node-proxier", subjects: [groupOf("system:nodes")] },
  { name: "mini8s:node-network", subjects: [groupOf("system:nodes")] },
  { name: "mini8s:deployment-controller", subjects: [systemAccount("deployment-controller")] },
  // Nodes have their own client certificates renewed without anybody's judgement.
  {
    name: "mini8s:node-autoapprove-certificate-rotation",
    role: "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
    subjects: [groupOf("system:nodes")],
  },
];

/** ClusterRoles that Kubernetes does not have. */
export const ownClusterRoles: readonly {
  readonly name: string;
  readonly rules: readonly PolicyRule[];
}[] = [
  {
    // What a node's DNS and network policies read, beyond what kubelet and proxy do.
    name: "mini8s:node-network",
    rules: [
      rule("get list watch", "", "namespaces"),
      rule("get list watch", "networking.k8s.io", "networkpolicies"),
    ],
  },
  {
    // Notes the revision on a Deployment by a patch, where kube-controller-manager replaces the whole.
    name: "mini8s:deployment-controller",
    rules: [rule("patch", "apps", "deployments")],
  },
];

/** A Role that every cluster has, with those bound to it. */
interface SystemRole {
  readonly namespace: "kube-public" | "kube-system";
  readonly name: string;
  readonly rules: readonly PolicyRule[];
  readonly binding: { readonly name: string; readonly subjects: readonly Subject[] };
}

const coordination = "coordination.k8s.io";

/** Of those who elect one among them. */
const leaderLocking = (name: string, accounts: readonly string[]): SystemRole => ({
  namespace: "kube-system",
  name: `system::leader-locking-${name}`,
  rules: [
    rule("create get list update watch", coordination, "leases"),
    rule("create get list update watch", coordination, "leasecandidates"),
  ],
  binding: {
    name: `system::leader-locking-${name}`,
    subjects: [user(`system:${name}`), ...accounts.map(systemAccount)],
  },
});

/** Of a controller that reads or writes in one namespace only. */
const controllerIn = (
  namespace: SystemRole["namespace"],
  account: string,
  rules: readonly PolicyRule[],
): SystemRole => ({
  namespace,
  name: `system:controller:${account}`,
  rules,
  binding: { name: `system:controller:${account}`, subjects: [systemAccount(account)] },
});

export const systemRoles: readonly SystemRole[] = [
  {
    namespace: "kube-system",
    name: "extension-apiserver-authentication-reader",
    rules: [rule("get list watch", "", "configmaps", "extension-apiserver-authentication")],
    binding: {
      name: "system::extension-apiserver-authentication-reader",
      subjects: [user("system:kube-controller-manager"), user("system:kube-scheduler")],
    },
  },
  controllerIn("kube-system", "bootstrap-signer", [rule("get list watch", "", "secrets")]),
  controllerIn("kube-public", "bootstrap-signer", [
    rule("get list watch", "", "configmaps"),
    rule("update", "", "configmaps", "cluster-info"),
    eventsRule,
  ]),
  controllerIn("kube-system", "cloud-provider", [rule("create get list watch", "", "configmaps")]),
  controllerIn("kube-system", "token-cleaner", [
    rule("delete get list watch", "", "secrets"),
    eventsRule,
  ]),
  leaderLocking("kube-controller-manager", [
    "kube-controller-manager",
    "leader-election-controller",
  ]),
  leaderLocking("kube-scheduler", ["kube-scheduler"]),
];
