import { certificateSigningRequestResource } from "../../api/resources/certificatesigningrequest.ts";
import { clusterRoleResource } from "../../api/resources/clusterrole.ts";
import { configMapResource } from "../../api/resources/configmap.ts";
import { customResourceDefinitionResource } from "../../api/resources/customresourcedefinition.ts";
import { deploymentResource } from "../../api/resources/deployment.ts";
import { endpointsResource } from "../../api/resources/endpoints.ts";
import { endpointSliceResource } from "../../api/resources/endpointslice.ts";
import { eventResource } from "../../api/resources/event.ts";
import { leaseResource } from "../../api/resources/lease.ts";
import { namespaceResource } from "../../api/resources/namespace.ts";
import { nodeResource } from "../../api/resources/node.ts";
import { persistentVolumeResource } from "../../api/resources/persistentvolume.ts";
import { persistentVolumeClaimResource } from "../../api/resources/persistentvolumeclaim.ts";
import { podResource } from "../../api/resources/pod.ts";
import { podDisruptionBudgetResource } from "../../api/resources/poddisruptionbudget.ts";
import { replicaSetResource } from "../../api/resources/replicaset.ts";
import { replicationControllerResource } from "../../api/resources/replicationcontroller.ts";
import { secretResource } from "../../api/resources/secret.ts";
import { serviceResource } from "../../api/resources/service.ts";
import { serviceAccountResource } from "../../api/resources/serviceaccount.ts";
import { statefulSetResource } from "../../api/resources/statefulset.ts";
import { volumeAttributesClassResource } from "../../api/resources/volumeattributesclass.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Service } from "../../base/service.ts";
import type { Controller, ControllerDeps } from "../../client/controller.ts";
import type { LiveKinds } from "../../client/live-kinds.ts";
import type { EventRecorder } from "../../client/recorder.ts";
import { bootstrapTokenCleaner } from "./bootstrap-token-cleaner.ts";
import { clusterRoleAggregationController } from "./clusterrole-aggregation.ts";
import { controlPlaneLabelController } from "./control-plane-label.ts";
import { crdConformanceController } from "./crd-conformance.ts";
import { crdEstablishingController } from "./crd-establishing.ts";
import { crdFinalizingController } from "./crd-finalizing.ts";
import { crdNamingController } from "./crd-naming.ts";
import { csrApprovingController } from "./csr-approving.ts";
import { csrCleaner } from "./csr-cleaner.ts";
import { csrSigningController, type SigningAuthorities } from "./csr-signing.ts";
import { deploymentController } from "./deployment.ts";
import { disruptionController } from "./disruption.ts";
import { disruptionTargetController } from "./disruption-target.ts";
import { endpointsController } from "./endpoints.ts";
import { endpointSliceController } from "./endpointslice.ts";
import { eventExpiry } from "./event-expiry.ts";
import { garbageCollector } from "./garbage-collector.ts";
import { namespaceController } from "./namespace.ts";
import { nodeIpamController } from "./node-ipam.ts";
import { nodeLifecycleController } from "./node-lifecycle.ts";
import { nodePasswordController } from "./node-password.ts";
import { podGarbageCollector } from "./pod-gc.ts";
import { pvProtectionController } from "./pv-protection.ts";
import { pvcProtectionController } from "./pvc-protection.ts";
import { replicaSetController, replicationControllerController } from "./replicaset.ts";
import { resourceQuotaController } from "./resourcequota.ts";
import { rootCaPublisherController } from "./root-ca-publisher.ts";
import { serviceAccountController } from "./serviceaccount.ts";
import { type SecretToken, serviceAccountTokenController } from "./serviceaccount-token.ts";
import { taintEvictionController } from "./taint-eviction.ts";
import { vacProtectionController } from "./vac-protection.ts";

/** What the controllers are made from; each takes only what it uses. */
export interface CatalogDeps extends ControllerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** `component` is the source that events name. */
  recorder(component: string): EventRecorder;
  readonly kinds: LiveKinds;
  /** Where the nodes' pod addresses come from, e.g. 10.42.0.0/16. */
  readonly clusterCidr: string;
  /** The node on this server's machine; undefined where there is none. */
  readonly serverNode: string | undefined;
  /** PEM of the CA that pods verify the API server by. */
  readonly rootCa: string;
  /** Sign what is asked for by CertificateSigningRequests. */
  readonly authorities: SigningAuthorities;
  /** Makes the token that lies in a Secret. */
  issueToken(token: SecretToken): string;
}

export interface CatalogEntry {
  /** What it is switched off by; kube-controller-manager's name where that has the same. */
  readonly name: string;
  readonly purpose: string;
  /** The ServiceAccount of kube-system as which it writes, with what that one's role allows. Default: as the server itself. */
  readonly account?: string;
  /** A controller is run by the runner; a service runs by itself, from time to time. */
  create(deps: CatalogDeps): Controller | Service;
}

/** The reading list: each controller, with what it is for. */
export const catalog: readonly CatalogEntry[] = [
  {
    name: "replicaset-controller",
    account: "replicaset-controller",
    purpose: "keeps as many pods alive as each ReplicaSet asks for (the exemplar)",
    create: ({ client, informer, recorder, clock }) =>
      replicaSetController({
        client,
        clock,
        replicaSets: informer(replicaSetResource),
        pods: informer(podResource),
        events: recorder("replicaset-controller"),
      }),
  },
  {
    name: "replicationcontroller-controller",
    account: "replication-controller",
    purpose: "keeps as many pods alive as each ReplicationController asks for",
    create: ({ client, informer, recorder, clock }) =>
      replicationControllerController({
        client,
        clock,
        replicaSets: informer(replicationControllerResource),
        pods: informer(podResource),
        events: recorder("replication-controller"),
      }),
  },
  {
    name: "deployment-controller",
    account: "deployment-controller",
    purpose: "rolls each Deployment's template out through ReplicaSets",
    create: ({ client, informer, recorder, clock }) =>
      deploymentController({
        client,
        clock,
        deployments: informer(deploymentResource),
        replicaSets: informer(replicaSetResource),
        pods: informer(podResource),
        events: recorder("deployment-controller"),
      }),
  },
  {
    name: "disruption-controller",
    account: "disruption-controller",
    purpose: "says in each PodDisruptionBudget how many of its pods may be evicted",
    create: ({ client, informer, recorder, kinds, clock }) =>
      disruptionController({
        client,
        clock,
        kinds,
        budgets: informer(podDisruptionBudgetResource),
        pods: informer(podResource),
        replicationControllers: informer(replicationControllerResource),
        replicaSets: informer(replicaSetResource),
        deployments: informer(deploymentResource),
        statefulSets: informer(statefulSetResource),
        events: recorder("controllermanager"),
      }),
  },
  {
    name: "disruption-target-controller",
    account: "disruption-controller",
    purpose: "takes back what pods say of their disruption, where nobody deleted them after all",
    create: ({ client, informer, clock }) =>
      disruptionTargetController({ client, clock, pods: informer(podResource) }),
  },
  {
    name: "endpointslice-controller",
    account: "endpointslice-controller",
    purpose: "tells which pods serve each Service, in EndpointSlices",
    create: ({ client, informer }) =>
      endpointSliceController({
        client,
        services: informer(serviceResource),
        pods: informer(podResource),
        nodes: informer(nodeResource),
        slices: informer(endpointSliceResource),
      }),
  },
  {
    name: "endpoints-controller",
    account: "endpoint-controller",
    purpose: "tells the same in Endpoints, for clients that know only those",
    create: ({ client, informer }) =>
      endpointsController({
        client,
        services: informer(serviceResource),
        pods: informer(podResource),
        endpoints: informer(endpointsResource),
      }),
  },
  {
    name: "crd-naming-controller",
    purpose: "gives each CustomResourceDefinition the names it asks for, unless another has them",
    create: ({ client, informer, clock }) =>
      crdNamingController({
        client,
        clock,
        definitions: informer(customResourceDefinitionResource),
      }),
  },
  {
    name: "crd-establishing-controller",
    purpose: "lets the kinds of a CustomResourceDefinition be served once it has its names",
    create: ({ client, informer, clock }) =>
      crdEstablishingController({
        client,
        clock,
        definitions: informer(customResourceDefinitionResource),
      }),
  },
  {
    name: "crd-conformance-controller",
    purpose: "says in each CustomResourceDefinition what it does not conform to",
    create: ({ client, informer, clock }) =>
      crdConformanceController({
        client,
        clock,
        definitions: informer(customResourceDefinitionResource),
      }),
  },
  {
    name: "crd-finalizing-controller",
    purpose: "deletes the objects of a CustomResourceDefinition that is being deleted",
    create: ({ client, informer, clock }) =>
      crdFinalizingController({
        client,
        clock,
        definitions: informer(customResourceDefinitionResource),
      }),
  },
  {
    name: "namespace-controller",
    account: "namespace-controller",
    purpose: "empties namespaces that are being deleted, and lets them go",
    create: ({ client, informer, kinds, clock }) =>
      namespaceController({
        client,
        clock,
        kinds,
        namespaces: informer(namespaceResource),
        pods: informer(podResource),
      }),
  },
  {
    name: "serviceaccount-controller",
    account: "service-account-controller",
    purpose: "keeps a ServiceAccount `default` in each namespace",
    create: ({ client, informer }) =>
      serviceAccountController({
        client,
        namespaces: informer(namespaceResource),
        serviceAccounts: informer(serviceAccountResource),
      }),
  },
  {
    name: "root-ca-certificate-publisher-controller",
    account: "root-ca-cert-publisher",
    purpose: "keeps the API server's CA in each namespace, as ConfigMap kube-root-ca.crt",
    create: ({ client, informer, rootCa }) =>
      rootCaPublisherController({
        client,
        rootCa,
        namespaces: informer(namespaceResource),
        configMaps: informer(configMapResource),
      }),
  },
  {
    name: "clusterrole-aggregation-controller",
    account: "clusterrole-aggregation-controller",
    purpose: "gives ClusterRoles the rules of those they aggregate",
    create: ({ client, informer }) =>
      clusterRoleAggregationController({ client, clusterRoles: informer(clusterRoleResource) }),
  },
  {
    name: "garbage-collector-controller",
    account: "generic-garbage-collector",
    purpose: "deletes what has owners but none that is left; orphans and cascades as asked",
    create: ({ client, informer, kinds, recorder }) =>
      garbageCollector({
        client,
        kinds,
        informer,
        events: recorder("garbage-collector-controller"),
      }),
  },
  {
    name: "node-lifecycle-controller",
    account: "node-controller",
    purpose: "notices nodes that are no longer heard of: conditions, taints, their pods' readiness",
    create: ({ client, informer, recorder, clock }) =>
      nodeLifecycleController({
        client,
        clock,
        nodes: informer(nodeResource),
        leases: informer(leaseResource),
        pods: informer(podResource),
        events: recorder("node-controller"),
      }),
  },
  {
    name: "taint-eviction-controller",
    account: "node-controller",
    purpose: "deletes pods that do not tolerate a NoExecute taint of their node",
    create: ({ client, informer, recorder, clock }) =>
      taintEvictionController({
        client,
        clock,
        nodes: informer(nodeResource),
        pods: informer(podResource),
        events: recorder("taint-eviction-controller"),
      }),
  },
  {
    name: "node-ipam-controller",
    account: "node-controller",
    purpose: "gives each node a block of pod addresses",
    create: ({ client, informer, recorder, clusterCidr }) =>
      nodeIpamController({
        client,
        clusterCidr,
        nodes: informer(nodeResource),
        events: recorder("cidrAllocator"),
      }),
  },
  {
    name: "control-plane-label-controller",
    purpose: "labels the server's own node as part of the control plane",
    create: ({ client, informer, serverNode }) =>
      controlPlaneLabelController({ client, serverNode, nodes: informer(nodeResource) }),
  },
  {
    name: "node-password-controller",
    purpose: "forgets the password of a node that was deleted, so that its name can be taken again",
    create: ({ client, informer }) =>
      nodePasswordController({ client, nodes: informer(nodeResource) }),
  },
  {
    name: "certificatesigningrequest-approving-controller",
    purpose: "says yes to nodes that ask for certificates they may have",
    create: ({ client, informer, clock }) =>
      csrApprovingController({
        client,
        clock,
        requests: informer(certificateSigningRequestResource),
        nodes: informer(nodeResource),
      }),
  },
  {
    name: "certificatesigningrequest-signing-controller",
    account: "certificate-controller",
    purpose: "issues the certificates that were approved",
    create: ({ client, informer, clock, authorities }) =>
      csrSigningController({
        client,
        clock,
        authorities,
        requests: informer(certificateSigningRequestResource),
      }),
  },
  {
    name: "certificatesigningrequest-cleaner-controller",
    account: "certificate-controller",
    purpose: "removes requests for certificates that were answered, or that nobody answers",
    create: ({ client, informer, clock }) =>
      csrCleaner({ client, clock, requests: informer(certificateSigningRequestResource) }),
  },
  {
    name: "serviceaccount-token-controller",
    purpose: "fills Secrets that ask for an account's token, and removes them with their account",
    create: ({ client, informer, rootCa, issueToken }) =>
      serviceAccountTokenController({
        client,
        rootCa,
        issueToken,
        secrets: informer(secretResource),
        serviceAccounts: informer(serviceAccountResource),
      }),
  },
  {
    name: "token-cleaner-controller",
    purpose: "removes bootstrap tokens whose time is over",
    create: ({ client, informer, clock }) =>
      bootstrapTokenCleaner({ client, clock, secrets: informer(secretResource) }),
  },
  {
    name: "pod-garbage-collector-controller",
    account: "pod-garbage-collector",
    purpose: "removes pods of nodes that are gone, pods never placed, and too many that ended",
    create: ({ client, informer, clock, logger }) =>
      podGarbageCollector({
        client,
        clock,
        logger,
        pods: informer(podResource),
        nodes: informer(nodeResource),
      }),
  },
  {
    name: "resourcequota-controller",
    account: "resourcequota-controller",
    purpose: "counts what each ResourceQuota's namespace has",
    create: ({ client, clock, kinds, informer }) =>
      resourceQuotaController({ client, clock, kinds, informer }),
  },
  {
    name: "persistentvolumeclaim-protection-controller",
    account: "pvc-protection-controller",
    purpose: "keeps claims that are being deleted while pods use them",
    create: ({ client, informer }) =>
      pvcProtectionController({
        client,
        claims: informer(persistentVolumeClaimResource),
        pods: informer(podResource),
      }),
  },
  {
    name: "persistentvolume-protection-controller",
    account: "pv-protection-controller",
    purpose: "keeps volumes that are being deleted while claims are bound to them",
    create: ({ client, informer }) =>
      pvProtectionController({ client, volumes: informer(persistentVolumeResource) }),
  },
  {
    name: "volumeattributesclass-protection-controller",
    account: "volumeattributesclass-protection-controller",
    purpose:
      "keeps VolumeAttributesClasses that are being deleted while claims or volumes are of them",
    create: ({ client, informer }) =>
      vacProtectionController({
        client,
        classes: informer(volumeAttributesClassResource),
        claims: informer(persistentVolumeClaimResource),
        volumes: informer(persistentVolumeResource),
      }),
  },
  {
    name: "event-expiry-controller",
    purpose: "removes events an hour after they were last seen",
    create: ({ client, informer, clock, logger }) =>
      eventExpiry({ client, clock, logger, events: informer(eventResource) }),
  },
];

/** Events come and go by themselves; whatever else is stored may own and be owned. */
