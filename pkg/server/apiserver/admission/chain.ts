import type { ResourceDefinition } from "../../../api/resource.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Authorizer } from "../authz/authorizer.ts";
import type { RbacPolicy } from "../authz/rbac-policy.ts";
import type { AdmissionPlugin, ObjectReader } from "./admission.ts";
import { type AdmissionConfiguration, isPluginOn } from "./admission-configuration.ts";
import { createCertificateApproval, createCertificateSigning } from "./certificate-approval.ts";
import { certificateSubjectRestriction } from "./certificate-subject-restriction.ts";
import { createCustomResourceLifecycle } from "./custom-resource-lifecycle.ts";
import { createDefaultIngressClass } from "./default-ingress-class.ts";
import { createDefaultStorageClass } from "./default-storage-class.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { createLimitRanger } from "./limit-ranger.ts";
import { createNamespaceLifecycle } from "./namespace-lifecycle.ts";
import { createNodeRestriction } from "./node-restriction.ts";
import { createOwnerReferencesEnforcement } from "./owner-references.ts";
import { createPersistentVolumeClaimResize } from "./persistent-volume-claim-resize.ts";
import { createPodSecurity } from "./pod-security/pod-security.ts";
import { createPodTopologyLabels } from "./pod-topology-labels.ts";
import { createPriority } from "./priority.ts";
import { createResourceQuota, type ResourceQuotaDeps } from "./quota/resource-quota.ts";
import { createRbacEscalationCheck } from "./rbac-escalation.ts";
import { createRuntimeClassAdmission } from "./runtime-class.ts";
import { createServiceAccountAdmission } from "./service-account.ts";
import { storageObjectInUseProtection } from "./storage-object-in-use-protection.ts";
import { taintNodesByCondition } from "./taint-nodes-by-condition.ts";

export interface AdmissionDeps {
  readonly reader: ObjectReader;
  readonly clock: Clock;
  readonly authorizer: Authorizer;
  readonly policy: RbacPolicy;
  /** The resource of a kind; undefined where the server does not know it. */
  resourceOfKind(apiVersion: string, kind: string): ResourceDefinition | undefined;
  /** Every kind that is stored at the moment. */
  storedResources(): readonly ResourceDefinition[];
  /** See `createQuotaUsedWriter`. */
  readonly writeQuotaUsed: ResourceQuotaDeps["writeQuotaUsed"];
  /** Default: as upstream without a file. */
  readonly configuration?: AdmissionConfiguration;
  /** Gives Services their addresses and ports; see `createServiceAllocation`. */
  readonly serviceAllocation: AdmissionPlugin;
}

/** Every rule of admission, in kube-apiserver's order; what upstream checks in its storage comes late. */
export function createAdmissionChain(deps: AdmissionDeps): readonly AdmissionPlugin[] {
  const { reader, clock, authorizer } = deps;
  const configuration = deps.configuration ?? {};
  const chain: readonly AdmissionPlugin[] = [
    createCustomResourceLifecycle(reader),
    createNamespaceLifecycle(reader),
    createLimitRanger(reader),
    createServiceAccountAdmission(reader, clock),
    createNodeRestriction(reader, authorizer),
    taintNodesByCondition,
    createPodSecurity(reader, clock, deps.configuration?.podSecurity),
    createPriority(reader),
    defaultTolerationSeconds,
    createDefaultStorageClass(reader),
    storageObjectInUseProtection,
    createOwnerReferencesEnforcement(deps),
    createPersistentVolumeClaimResize(reader),
    createRuntimeClassAdmission(reader),
    createCertificateApproval(authorizer),
    createCertificateSigning(authorizer),
    certificateSubjectRestriction,
    createDefaultIngressClass(reader),
    createPodTopologyLabels(reader),
    createRbacEscalationCheck(deps),
    deps.serviceAllocation,
    // Nothing may refuse after it: what it gives, somebody has to have.
    createResourceQuota(deps),
  ];
  return chain.filter(({ name }) => isPluginOn(name, configuration));
}
