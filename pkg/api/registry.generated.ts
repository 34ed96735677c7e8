// Written by build/generate-registry.ts: do not edit.
import type { ResourceDefinition } from "./resource.ts";
import { apiServiceResource } from "./resources/apiservice.ts";
import { bindingResource } from "./resources/binding.ts";
import { certificateSigningRequestResource } from "./resources/certificatesigningrequest.ts";
import { clusterRoleResource } from "./resources/clusterrole.ts";
import { clusterRoleBindingResource } from "./resources/clusterrolebinding.ts";
import { componentStatusResource } from "./resources/componentstatus.ts";
import { configMapResource } from "./resources/configmap.ts";
import { controllerRevisionResource } from "./resources/controllerrevision.ts";
import { cronJobResource } from "./resources/cronjob.ts";
import { csiDriverResource } from "./resources/csidriver.ts";
import { csiNodeResource } from "./resources/csinode.ts";
import { csiStorageCapacityResource } from "./resources/csistoragecapacity.ts";
import { customResourceDefinitionResource } from "./resources/customresourcedefinition.ts";
import { daemonSetResource } from "./resources/daemonset.ts";
import { deploymentResource } from "./resources/deployment.ts";
import { deviceClassResource } from "./resources/deviceclass.ts";
import { endpointsResource } from "./resources/endpoints.ts";
import { endpointSliceResource } from "./resources/endpointslice.ts";
import { eventsEventResource } from "./resources/event-events.ts";
import { eventResource } from "./resources/event.ts";
import { flowSchemaResource } from "./resources/flowschema.ts";
import { horizontalPodAutoscalerV1Resource } from "./resources/horizontalpodautoscaler-v1.ts";
import { horizontalPodAutoscalerResource } from "./resources/horizontalpodautoscaler.ts";
import { ingressResource } from "./resources/ingress.ts";
import { ingressClassResource } from "./resources/ingressclass.ts";
import { ipAddressResource } from "./resources/ipaddress.ts";
import { jobResource } from "./resources/job.ts";
import { leaseResource } from "./resources/lease.ts";
import { limitRangeResource } from "./resources/limitrange.ts";
import { localSubjectAccessReviewResource } from "./resources/localsubjectaccessreview.ts";
import { mutatingAdmissionPolicyResource } from "./resources/mutatingadmissionpolicy.ts";
import { mutatingAdmissionPolicyBindingResource } from "./resources/mutatingadmissionpolicybinding.ts";
import { mutatingWebhookConfigurationResource } from "./resources/mutatingwebhookconfiguration.ts";
import { namespaceResource } from "./resources/namespace.ts";
import { networkPolicyResource } from "./resources/networkpolicy.ts";
import { nodeResource } from "./resources/node.ts";
import { persistentVolumeResource } from "./resources/persistentvolume.ts";
import { persistentVolumeClaimResource } from "./resources/persistentvolumeclaim.ts";
import { podResource } from "./resources/pod.ts";
import { podDisruptionBudgetResource } from "./resources/poddisruptionbudget.ts";
import { podTemplateResource } from "./resources/podtemplate.ts";
import { priorityClassResource } from "./resources/priorityclass.ts";
import { priorityLevelConfigurationResource } from "./resources/prioritylevelconfiguration.ts";
import { replicaSetResource } from "./resources/replicaset.ts";
import { replicationControllerResource } from "./resources/replicationcontroller.ts";
import { resourceClaimResource } from "./resources/resourceclaim.ts";
import { resourceClaimTemplateResource } from "./resources/resourceclaimtemplate.ts";
import { resourceQuotaResource } from "./resources/resourcequota.ts";
import { resourceSliceResource } from "./resources/resourceslice.ts";
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
import { validatingAdmissionPolicyResource } from "./resources/validatingadmissionpolicy.ts";
import { validatingAdmissionPolicyBindingResource } from "./resources/validatingadmissionpolicybinding.ts";
import { validatingWebhookConfigurationResource } from "./resources/validatingwebhookconfiguration.ts";
import { volumeAttachmentResource } from "./resources/volumeattachment.ts";
import { volumeAttributesClassResource } from "./resources/volumeattributesclass.ts";

/** Every built-in kind. */
export const allResources: readonly ResourceDefinition[] = [
  apiServiceResource,
  bindingResource,
  certificateSigningRequestResource,
  clusterRoleResource,
  clusterRoleBindingResource,
  componentStatusResource,
  configMapResource,
  controllerRevisionResource,
  cronJobResource,
  csiDriverResource,
  csiNodeResource,
  csiStorageCapacityResource,
  customResourceDefinitionResource,
  daemonSetResource,
  deploymentResource,
  deviceClassResource,
  endpointsResource,
  endpointSliceResource,
  eventsEventResource,
  eventResource,
  flowSchemaResource,
  horizontalPodAutoscalerV1Resource,
  horizontalPodAutoscalerResource,
  ingressResource,
  ingressClassResource,
  ipAddressResource,
  jobResource,
  leaseResource,
  limitRangeResource,
  localSubjectAccessReviewResource,
  mutatingAdmissionPolicyResource,
  mutatingAdmissionPolicyBindingResource,
  mutatingWebhookConfigurationResource,
  namespaceResource,
  networkPolicyResource,
  nodeResource,
  persistentVolumeResource,
  persistentVolumeClaimResource,
  podResource,
  podDisruptionBudgetResource,
  podTemplateResource,
  priorityClassResource,
  priorityLevelConfigurationResource,
  replicaSetResource,
  replicationControllerResource,
  resourceClaimResource,
  resourceClaimTemplateResource,
  resourceQuotaResource,
  resourceSliceResource,
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
  validatingAdmissionPolicyResource,
  validatingAdmissionPolicyBindingResource,
  validatingWebhookConfigurationResource,
  volumeAttachmentResource,
  volumeAttributesClassResource,
];
