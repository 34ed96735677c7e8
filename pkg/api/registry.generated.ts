// Written by build/generate-registry.ts: do not edit.
import type { ResourceDefinition } from "./resource.ts";
import { bindingResource } from "./resources/binding.ts";
import { certificateSigningRequestResource } from "./resources/certificatesigningrequest.ts";
import { clusterRoleResource } from "./resources/clusterrole.ts";
import { clusterRoleBindingResource } from "./resources/clusterrolebinding.ts";
import { configMapResource } from "./resources/configmap.ts";
import { controllerRevisionResource } from "./resources/controllerrevision.ts";
import { daemonSetResource } from "./resources/daemonset.ts";
import { deploymentResource } from "./resources/deployment.ts";
import { endpointsResource } from "./resources/endpoints.ts";
import { endpointSliceResource } from "./resources/endpointslice.ts";
import { eventResource } from "./resources/event.ts";
import { flowSchemaResource } from "./resources/flowschema.ts";
import { ingressResource } from "./resources/ingress.ts";
import { ingressClassResource } from "./resources/ingressclass.ts";
import { ipAddressResource } from "./resources/ipaddress.ts";
import { leaseResource } from "./resources/lease.ts";
import { limitRangeResource } from "./resources/limitrange.ts";
import { localSubjectAccessReviewResource } from "./resources/localsubjectaccessreview.ts";
import { namespaceResource } from "./resources/namespace.ts";
import { networkPolicyResource } from "./resources/networkpolicy.ts";
import { nodeResource } from "./resources/node.ts";
import { persistentVolumeClaimResource } from "./resources/persistentvolumeclaim.ts";
import { podResource } from "./resources/pod.ts";
import { podDisruptionBudgetResource } from "./resources/poddisruptionbudget.ts";
import { podTemplateResource } from "./resources/podtemplate.ts";
import { priorityClassResource } from "./resources/priorityclass.ts";
import { priorityLevelConfigurationResource } from "./resources/prioritylevelconfiguration.ts";
import { replicaSetResource } from "./resources/replicaset.ts";
import { replicationControllerResource } from "./resources/replicationcontroller.ts";
import { resourceQuotaResource } from "./resources/resourcequota.ts";
import { roleResource } from "./resources/role.ts";
import { roleBindingResource } from "./resources/rolebinding.ts";
import { runtimeClassResource } from "./resources/runtimeclass.ts";
import { secretResource } from "./resources/secret.ts";
import { selfSubjectAccessReviewResource } from "./resources/selfsubjectaccessreview.ts";
import { selfSubjectReviewResource } from "./resources/selfsubjectreview.ts";
import { selfSubjectRulesReviewResource } from "./resources/selfsubjectrulesreview.ts";
import { serviceResource } from "./resources/service.ts";
import { serviceAccountResource } from "./resources/serviceaccount.ts";
import { serviceCIDRResource } from "./resources/servicecidr.ts";
import { statefulSetResource } from "./resources/statefulset.ts";
import { storageClassResource } from "./resources/storageclass.ts";
import { subjectAccessReviewResource } from "./resources/subjectaccessreview.ts";
import { tokenReviewResource } from "./resources/tokenreview.ts";

/** Every built-in kind. */
export const allResources: readonly ResourceDefinition[] = [
  bindingResource,
  certificateSigningRequestResource,
  clusterRoleResource,
  clusterRoleBindingResource,
  configMapResource,
  controllerRevisionResource,
  daemonSetResource,
  deploymentResource,
  endpointsResource,
  endpointSliceResource,
  eventResource,
  flowSchemaResource,
  ingressResource,
  ingressClassResource,
  ipAddressResource,
  leaseResource,
  limitRangeResource,
  localSubjectAccessReviewResource,
  namespaceResource,
  networkPolicyResource,
  nodeResource,
  persistentVolumeClaimResource,
  podResource,
  podDisruptionBudgetResource,
  podTemplateResource,
  priorityClassResource,
  priorityLevelConfigurationResource,
  replicaSetResource,
  replicationControllerResource,
  resourceQuotaResource,
  roleResource,
  roleBindingResource,
  runtimeClassResource,
  secretResource,
  selfSubjectAccessReviewResource,
  selfSubjectReviewResource,
  selfSubjectRulesReviewResource,
  serviceResource,
  serviceAccountResource,
  serviceCIDRResource,
  statefulSetResource,
  storageClassResource,
  subjectAccessReviewResource,
  tokenReviewResource,
];
