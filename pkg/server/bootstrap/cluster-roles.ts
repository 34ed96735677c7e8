import type { AggregationRule, PolicyRule } from "../../api/generated/rbac-v1.generated.ts";
import { eventsRule, pathRule, readVerbs, readWriteVerbs, rule, writeVerbs } from "./rules.ts";

/** A ClusterRole that every cluster has. */
export interface DefaultClusterRole {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly rules: readonly PolicyRule[];
  readonly aggregationRule?: AggregationRule;
}

const aggregateTo = (role: string) => ({
  [`rbac.authorization.k8s.io/aggregate-to-${role}`]: "true",
});
const aggregated = (role: string): AggregationRule => ({
  clusterRoleSelectors: [{ matchLabels: aggregateTo(role) }],
});

/** What the kubelet may do; the node authorizer narrows some of it to the node's own pods. */
export const nodeRules: readonly PolicyRule[] = [
  rule("create", "authentication.k8s.io", "tokenreviews"),
  rule("create", "authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews"),
  rule(readVerbs, "", "services"),
  rule("create get list watch", "", "nodes"),
  rule("patch update", "", "nodes/status"),
  rule("patch update", "", "nodes"),
  eventsRule,
  rule(readVerbs, "", "pods"),
  rule("create delete", "", "pods"),
  rule("patch update", "", "pods/status"),
  rule("create", "", "pods/eviction"),
  rule(readVerbs, "", "configmaps secrets"),
  rule("get", "", "persistentvolumeclaims persistentvolumes"),
  rule("get", "", "endpoints"),
  rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),
  rule("create delete get patch update", "coordination.k8s.io", "leases"),
  rule("get", "storage.k8s.io", "volumeattachments"),
  rule("create", "", "serviceaccounts/token"),
  rule("get patch update", "", "persistentvolumeclaims/status"),
  rule(readVerbs, "storage.k8s.io", "csidrivers"),
  rule("create delete get patch update", "storage.k8s.io", "csinodes"),
  rule(readVerbs, "node.k8s.io", "runtimeclasses"),
  rule("get", "resource.k8s.io", "resourceclaims"),
  rule("deletecollection", "resource.k8s.io", "resourceslices"),
  rule("get", "", "serviceaccounts"),
];

const approver = (signer: string, name: string): DefaultClusterRole => ({
  name: `system:certificates.k8s.io:${name}-approver`,
  rules: [rule("approve", "certificates.k8s.io", "signers", signer)],
});

/** Kubernetes' default ClusterRoles, except those of the controllers. */
export const defaultClusterRoles: readonly DefaultClusterRole[] = [
  { name: "cluster-admin", rules: [rule("*", "*", "*"), pathRule("*", "*")] },
  {
    name: "system:discovery",
    rules: [
      pathRule(
        "get",
        "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/",
      ),
    ],
  },
  {
    name: "system:monitoring",
    rules: [
      pathRule(
        "get",
        "/flagz /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/* /statusz",
      ),
      rule("get", "", "nodes/metrics"),
    ],
  },
  {
    name: "system:basic-user",
    rules: [
      rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
      rule("create", "authentication.k8s.io", "selfsubjectreviews"),
    ],
  },
  {
    name: "system:public-info-viewer",
    rules: [pathRule("get", "/healthz /livez /readyz /version /version/")],
  },
  { name: "admin", rules: [], aggregationRule: aggregated("admin") },
  {
    name: "edit",
    labels: aggregateTo("admin"),
    rules: [],
    aggregationRule: aggregated("edit"),
  },
  {
    name: "view",
    labels: aggregateTo("edit"),
    rules: [],
    aggregationRule: aggregated("view"),
  },
  {
    name: "system:aggregate-to-admin",
    labels: aggregateTo("admin"),
    rules: [
      rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
      rule(readWriteVerbs, "rbac.authorization.k8s.io", "rolebindings roles"),
    ],
  },
  {
    name: "system:aggregate-to-edit",
    labels: aggregateTo("edit"),
    rules: [
      rule(
        readVerbs,
        "",
        "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy",
      ),
      rule("impersonate", "", "serviceaccounts"),
      rule(writeVerbs, "", "pods pods/attach pods/exec pods/portforward pods/proxy"),
      rule("create", "", "pods/eviction"),
      rule(
        writeVerbs,
        "",
        "configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy",
      ),
      rule("create", "", "serviceaccounts/token"),
      rule(writeVerbs, ["", "events.k8s.io"], "events"),
      rule(
        writeVerbs,
        "apps",
        "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale",
      ),
      rule(writeVerbs, "autoscaling", "horizontalpodautoscalers"),
      rule(writeVerbs, "batch", "cronjobs jobs"),
      rule(
        writeVerbs,
        "extensions",
        "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale",
      ),
      rule(writeVerbs, "policy", "poddisruptionbudgets"),
      rule(writeVerbs, "networking.k8s.io", "ingresses networkpolicies"),
      rule(readWriteVerbs, "coordination.k8s.io", "leases"),
      rule(writeVerbs, "resource.k8s.io", "resourceclaims resourceclaimtemplates"),
    ],
  },
  {
    name: "system:aggregate-to-view",
    labels: aggregateTo("view"),
    rules: [
      rule(
        readVerbs,
        "",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status",
      ),
      rule(
        readVerbs,
        "",
        "bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status",
      ),
      rule(readVerbs, ["", "events.k8s.io"], "events"),
      rule(readVerbs, "", "namespaces"),
      rule(readVerbs, "discovery.k8s.io", "endpointslices"),
      rule(
        readVerbs,
        "apps",
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
      ),
      rule(readVerbs, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
      rule(readVerbs, "batch", "cronjobs cronjobs/status jobs jobs/status"),
      rule(
        readVerbs,
        "extensions",
        "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale",
      ),
      rule(readVerbs, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
      rule(readVerbs, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
      rule(
        readVerbs,
        "resource.k8s.io",
        "resourceclaims resourceclaims/status resourceclaimtemplates",
      ),
    ],
  },
  { name: "system:node", rules: nodeRules },
  {
    name: "system:heapster",
    rules: [
      rule(readVerbs, "", "events namespaces nodes pods"),
      rule(readVerbs, "extensions", "deployments"),
    ],
  },
  {
    name: "system:node-problem-detector",
    rules: [rule("get", "", "nodes"), rule("patch", "", "nodes/status"), eventsRule],
  },
  {
    name: "system:kubelet-api-admin",
    rules: [
      rule(readVerbs, "", "nodes"),
      rule("proxy", "", "nodes"),
      rule("*", "", "nodes/log nodes/metrics nodes/proxy nodes/stats"),
      rule("*", "", "nodes/configz nodes/healthz nodes/pods"),
    ],
  },
  {
    name: "system:node-bootstrapper",
    rules: [rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests")],
  },
  {
    name: "system:auth-delegator",
    rules: [
      rule("create", "authentication.k8s.io", "tokenreviews"),
      rule("create", "authorization.k8s.io", "subjectaccessreviews"),
    ],
  },
  { name: "system:kube-aggregator", rules: [rule(readVerbs, "", "endpoints services")] },
  {
    name: "system:kube-controller-manager",
    rules: [
      eventsRule,
      rule("create", "coordination.k8s.io", "leases"),
      rule("get update", "coordination.k8s.io", "leases", "kube-controller-manager"),
      rule("create", "", "secrets serviceaccounts"),
      rule("delete", "", "secrets"),
      rule("get", "", "configmaps namespaces secrets serviceaccounts"),
      rule("update", "", "secrets serviceaccounts"),
      rule("create", "authentication.k8s.io", "tokenreviews"),
      rule("create", "authorization.k8s.io", "subjectaccessreviews"),
      rule("list watch", "*", "*"),
      rule("create", "", "serviceaccounts/token"),
    ],
  },
  { name: "system:kube-dns", rules: [rule("list watch", "", "endpoints services")] },
  {
    name: "system:kube-scheduler",
    rules: [
      eventsRule,
      rule("create", "coordination.k8s.io", "leases"),
      rule("get list update watch", "coordination.k8s.io", "leases", "kube-scheduler"),
      rule(readWriteVerbs, "coordination.k8s.io", "leasecandidates"),
      rule(readVerbs, "", "nodes"),
      rule("delete get list watch", "", "pods"),
      rule("create", "", "bindings pods/binding"),
      rule("patch update", "", "pods/status"),
      rule(readVerbs, "", "replicationcontrollers services"),
      rule(readVerbs, ["apps", "extensions"], "replicasets"),
      rule(readVerbs, "apps", "statefulsets"),
      rule(readVerbs, "policy", "poddisruptionbudgets"),
      rule(readVerbs, "", "persistentvolumeclaims persistentvolumes"),
      rule("create", "authentication.k8s.io", "tokenreviews"),
      rule("create", "authorization.k8s.io", "subjectaccessreviews"),
      rule(readVerbs, "storage.k8s.io", "csinodes"),
      rule(readVerbs, "storage.k8s.io", "volumeattachments"),
      rule(readVerbs, "", "namespaces"),
      rule(readVerbs, "storage.k8s.io", "csidrivers"),
      rule(readVerbs, "storage.k8s.io", "csistoragecapacities"),
      rule(readVerbs, "resource.k8s.io", "deviceclasses resourceslices"),
      rule("get list patch update watch", "resource.k8s.io", "resourceclaims"),
      rule("get list patch update watch", "resource.k8s.io", "resourceclaims/status"),
      rule("patch update", "resource.k8s.io", "resourceclaims/binding"),
      rule("create delete", "resource.k8s.io", "resourceclaims"),
      rule("update", "", "pods/finalizers"),
    ],
  },
  {
    name: "system:persistent-volume-provisioner",
    rules: [
      rule("create delete get list watch", "", "persistentvolumes"),
      rule("get list update watch", "", "persistentvolumeclaims"),
      rule(readVerbs, "storage.k8s.io", "storageclasses"),
      rule("watch", "", "events"),
      eventsRule,
    ],
  },
  {
    name: "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
    rules: [rule("create", "certificates.k8s.io", "certificatesigningrequests/nodeclient")],
  },
  {
    name: "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
    rules: [rule("create", "certificates.k8s.io", "certificatesigningrequests/selfnodeclient")],
  },
  approver("kubernetes.io/legacy-unknown", "legacy-unknown"),
  approver("kubernetes.io/kubelet-serving", "kubelet-serving"),
  approver("kubernetes.io/kube-apiserver-client", "kube-apiserver-client"),
  approver("kubernetes.io/kube-apiserver-client-kubelet", "kube-apiserver-client-kubelet"),
  {
    name: "system:volume-scheduler",
    rules: [
      rule("get list patch update watch", "", "persistentvolumes"),
      rule(readVerbs, "storage.k8s.io", "storageclasses"),
      rule("get list patch update watch", "", "persistentvolumeclaims"),
    ],
  },
  {
    name: "system:service-account-issuer-discovery",
    rules: [
      pathRule(
        "get",
        "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
      ),
    ],
  },
  {
    name: "system:node-proxier",
    rules: [
      rule("list watch", "", "endpoints services"),
      rule(readVerbs, "", "nodes"),
      eventsRule,
      rule("list watch", "networking.k8s.io", "servicecidrs"),
      rule("list watch", "discovery.k8s.io", "endpointslices"),
    ],
  },
];
