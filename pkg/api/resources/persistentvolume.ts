import { ageColumn, nameColumn } from "../columns.ts";
import { forbidden, immutableDetail, invalid } from "../field-error.ts";
import {
  type NodeSelectorRequirement,
  type PersistentVolume,
  type PersistentVolumeSource,
  type PersistentVolumeSpec,
  persistentVolumeSchema,
  type SecretReference,
  type VolumeNodeAffinity,
} from "../generated/core-v1.generated.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { printAccessModes } from "../shared/access-modes.ts";
import { deprecatedNodeLabel } from "../shared/deprecated-node-labels.ts";
import { defaultResourceList } from "../shared/pod-spec-defaults.ts";
import { storageClassAnnotation } from "../shared/storage-class.ts";
import { unifiedDiff } from "../shared/unified-diff.ts";
import { volumeModeColumn } from "../shared/volume-mode-column.ts";
import { defaultVolumeSource } from "../shared/volume-source-defaults.ts";
import { validateVolumeSpec } from "../shared/volume-spec.ts";
import { formatTime } from "../time.ts";

const mountOptionsAnnotation = "volume.beta.kubernetes.io/mount-options";

export const persistentVolumeResource = defineResource<PersistentVolume>({
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  shortNames: ["pv"],
  scope: "cluster",
  schema: persistentVolumeSchema,
  subresources: { status: true },
  defaults({ spec, status }) {
    if (status !== undefined) status.phase ||= "Pending";
    spec.persistentVolumeReclaimPolicy ||= "Retain";
    spec.volumeMode ??= "Filesystem";
    defaultResourceList(spec.capacity);
    defaultVolumeSource(spec);
  },
  prepareCreate(volume) {
    // It is in its first phase since it exists.
    const { creationTimestamp } = volume.metadata;
    volume.status = { phase: "Pending", lastPhaseTransitionTime: creationTimestamp };
  },
  prepareStatusUpdate({ status }, { status: previous }, nowMs) {
    const { lastPhaseTransitionTime: before } = previous;
    const { lastPhaseTransitionTime: sent } = status;
    if (status.phase === previous.phase) {
      if (sent === undefined && before !== undefined) status.lastPhaseTransitionTime = before;
    } else if (sent === undefined || sent === before) {
      status.lastPhaseTransitionTime = formatTime(nowMs);
    }
  },
  validate: ({ metadata, spec }) => [
    ...validateVolumeSpec(spec, { inline: false, name: metadata.name }, "spec"),
    ...checkMountOptions(metadata.annotations, spec),
  ],
  validateUpdate,
  warnings,
  columns: [
    nameColumn,
    {
      name: "Capacity",
      type: "string",
      description: "How large the volume is.",
      cell: ({ spec }) => spec.capacity?.["storage"] ?? "0",
    },
    {
      name: "Access Modes",
      type: "string",
      description: "In how many places, and for what, the volume can be mounted.",
      cell: ({ spec }) => printAccessModes(spec.accessModes),
    },
    {
      name: "Reclaim Policy",
      type: "string",
      description: "What becomes of the volume when its claim is gone.",
      cell: ({ spec }) => spec.persistentVolumeReclaimPolicy ?? "",
    },
    {
      name: "Status",
      type: "string",
      description: "Whether the volume is free, or has its claim.",
      cell: ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined ? (status.phase ?? "") : "Terminating",
    },
    {
      name: "Claim",
      type: "string",
      description: "The claim that the volume is for.",
      cell: ({ spec: { claimRef } }) =>
        claimRef === undefined ? "" : `${claimRef.namespace ?? ""}/${claimRef.name ?? ""}`,
    },
    {
      name: "StorageClass",
      type: "string",
      description: "The class that the volume is of.",
      cell: ({ metadata, spec }) =>
        metadata.annotations?.[storageClassAnnotation] ?? spec.storageClassName ?? "",
    },
    {
      name: "VolumeAttributesClass",
      type: "string",
      description: "The class of attributes that the volume has.",
      cell: ({ spec }) => spec.volumeAttributesClassName ?? "<unset>",
    },
    {
      name: "Reason",
      type: "string",
      description: "Why the volume is in a state in which nobody wants it.",
      cell: ({ status }) => status.reason ?? "",
    },
    ageColumn,
    volumeModeColumn,
  ],
});

/** Volumes that took mount options from an annotation when there was no field for them yet. */
const mountOptionSources = [
  "awsElasticBlockStore",
  "azureDisk",
  "azureFile",
  "cephfs",
  "cinder",
  "gcePersistentDisk",
  "glusterfs",
  "iscsi",
  "nfs",
  "photonPersistentDisk",
  "quobyte",
  "rbd",
  "vsphereVolume",
] as const;

function checkMountOptions(
  annotations: Readonly<Record<string, string>> | undefined,
  spec: PersistentVolumeSpec,
): readonly FieldError[] {
  if (annotations?.[mountOptionsAnnotation] === undefined) return [];
  if (mountOptionSources.some((source) => spec[source] !== undefined)) return [];
  return [
    forbidden(
      `metadata.annotations.${mountOptionsAnnotation}`,
      "may not specify mount options for this volume type",
    ),
  ];
}

function validateUpdate(next: PersistentVolume, previous: PersistentVolume): readonly FieldError[] {
  const errors: FieldError[] = [];
  const before = sourcesOf(previous.spec);
  const after = sourcesOf(withoutNewExpandSecret(next.spec, previous.spec));
  if (!equalJson(before, after)) {
    const difference = unifiedDiff(
      JSON.stringify(before, undefined, 1),
      JSON.stringify(after, undefined, 1),
    );
    errors.push(
      forbidden(
        "spec.persistentvolumesource",
        `spec.persistentvolumesource is immutable after creation\n${difference}`,
      ),
    );
  }
  if (next.spec.volumeMode !== previous.spec.volumeMode) {
    errors.push(invalid("volumeMode", next.spec.volumeMode ?? null, immutableDetail));
  }
  const affinity = previous.spec.nodeAffinity;
  if (affinity !== undefined && !isSameAffinity(next.spec.nodeAffinity, affinity)) {
    errors.push(
      invalid(
        "nodeAffinity",
        asGoAffinity(next.spec.nodeAffinity),
        `${immutableDetail}, except for updating from beta label to GA`,
      ),
    );
  }
  const { volumeAttributesClassName } = next.spec;
  if (
    volumeAttributesClassName === undefined &&
    previous.spec.volumeAttributesClassName !== undefined
  ) {
    errors.push(
      forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden"),
    );
  }
  return errors;
}

/** The secret for growing may be added to a volume that was made before it could grow. */
function withoutNewExpandSecret(
  next: PersistentVolumeSpec,
  previous: PersistentVolumeSpec,
): PersistentVolumeSpec {
  if (next.csi === undefined || previous.csi === undefined) return next;
  if (previous.csi.controllerExpandSecretRef !== undefined) return next;
  const { controllerExpandSecretRef: _, ...csi } = next.csi;
  return { ...next, csi };
}

/** The sources in the order and under the names of upstream's own type, which leaves none of them out. */
const goSources: readonly (readonly [field: keyof PersistentVolumeSource, goName: string])[] = [
  ["gcePersistentDisk", "GCEPersistentDisk"],
  ["awsElasticBlockStore", "AWSElasticBlockStore"],
  ["hostPath", "HostPath"],
  ["glusterfs", "Glusterfs"],
  ["nfs", "NFS"],
  ["rbd", "RBD"],
  ["quobyte", "Quobyte"],
  ["iscsi", "ISCSI"],
  ["flexVolume", "FlexVolume"],
  ["cinder", "Cinder"],
  ["cephfs", "CephFS"],
  ["fc", "FC"],
  ["flocker", "Flocker"],
  ["azureFile", "AzureFile"],
  ["vsphereVolume", "VsphereVolume"],
  ["azureDisk", "AzureDisk"],
  ["photonPersistentDisk", "PhotonPersistentDisk"],
  ["portworxVolume", "PortworxVolume"],
  ["scaleIO", "ScaleIO"],
  ["local", "Local"],
  ["storageos", "StorageOS"],
  ["csi", "CSI"],
];

function sourcesOf(spec: PersistentVolumeSource): Record<string, unknown> {
  return Object.fromEntries(goSources.map(([field, goName]) => [goName, asGoSource(field, spec)]));
}

/** Those that somebody is likely to see as upstream prints them; the others as they were written. */
function asGoSource(field: keyof PersistentVolumeSource, spec: PersistentVolumeSource): unknown {
  const { csi, hostPath, local, nfs } = spec;
  if (field === "hostPath" && hostPath !== undefined) {
    return { Path: hostPath.path, Type: hostPath.type ?? null };
  }
  if (field === "nfs" && nfs !== undefined) {
    return { Server: nfs.server, Path: nfs.path, ReadOnly: nfs.readOnly ?? false };
  }
  if (field === "local" && local !== undefined) {
    return { Path: local.path, FSType: local.fsType ?? null };
  }
  if (field === "csi" && csi !== undefined) {
    return {
      Driver: csi.driver,
      VolumeHandle: csi.volumeHandle,
      ReadOnly: csi.readOnly ?? false,
      FSType: csi.fsType ?? "",
      VolumeAttributes: csi.volumeAttributes ?? null,
      ControllerPublishSecretRef: asGoSecret(csi.controllerPublishSecretRef),
      NodeStageSecretRef: asGoSecret(csi.nodeStageSecretRef),
      NodePublishSecretRef: asGoSecret(csi.nodePublishSecretRef),
      ControllerExpandSecretRef: asGoSecret(csi.controllerExpandSecretRef),
      NodeExpandSecretRef: asGoSecret(csi.nodeExpandSecretRef),
    };
  }
  return spec[field] ?? null;
}

function asGoSecret(secret: SecretReference | undefined) {
  if (secret === undefined) return null;
  return { Name: secret.name ?? "", Namespace: secret.namespace ?? "" };
}

const stableLabels: ReadonlyMap<string, string> = new Map([
  ["failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"],
  ["failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"],
  ["beta.kubernetes.io/os", "kubernetes.io/os"],
  ["beta.kubernetes.io/arch", "kubernetes.io/arch"],
  ["beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"],
]);

/** Whether nothing changed but labels that got their lasting names. */
function isSameAffinity(
  next: VolumeNodeAffinity | undefined,
  previous: VolumeNodeAffinity,
): boolean {
  const terms = next?.required?.nodeSelectorTerms;
  const renamed = previous.required?.nodeSelectorTerms?.map((term, index) => {
    const rename = (list: "matchExpressions" | "matchFields") =>
      (term[list] ?? []).map((requirement, at) => {
        const now = terms?.[index]?.[list]?.[at]?.key;
        const isRenamed = now !== undefined && stableLabels.get(requirement.key) === now;
        return comparable(isRenamed ? { ...requirement, key: now } : requirement);
      });
    return { matchExpressions: rename("matchExpressions"), matchFields: rename("matchFields") };
  });
  const compared = terms?.map(({ matchExpressions = [], matchFields = [] }) => ({
    matchExpressions: matchExpressions.map(comparable),
    matchFields: matchFields.map(comparable),
  }));
  return equalJson(compared ?? [], renamed ?? []);
}

function comparable({ key, operator, values = [] }: NodeSelectorRequirement) {
  return { key, operator, values };
}

/** Upstream prints this value of its own type, whose fields have no JSON names. */
function asGoAffinity(affinity: VolumeNodeAffinity | undefined) {
  if (affinity === undefined) return null;
  const requirements = (list: readonly NodeSelectorRequirement[] | undefined) =>
    list?.map(({ key, operator, values }) => ({
      Key: key,
      Operator: operator,
      Values: values ?? null,
    })) ?? null;
  return {
    Required:
      affinity.required === undefined
        ? null
        : {
            NodeSelectorTerms: (affinity.required.nodeSelectorTerms ?? []).map((term) => ({
              MatchExpressions: requirements(term.matchExpressions),
              MatchFields: requirements(term.matchFields),
            })),
          },
  };
}

const deprecatedAnnotations = {
  [storageClassAnnotation]: 'deprecated since v1.8; use "storageClassName" attribute instead',
  [mountOptionsAnnotation]: 'deprecated since v1.31; use "mountOptions" attribute instead',
};

const deprecatedSources = {
  cephfs: "spec.cephfs: deprecated in v1.28, non-functional in v1.31+",
  photonPersistentDisk: "spec.photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+",
  scaleIO: "spec.scaleIO: deprecated in v1.16, non-functional in v1.22+",
  storageos: "spec.storageOS: deprecated in v1.22, non-functional in v1.25+",
  glusterfs: "spec.glusterfs: deprecated in v1.25, non-functional in v1.26+",
  rbd: "spec.rbd: deprecated in v1.28, non-functional in v1.31+",
} as const;

function warnings({ metadata, spec }: PersistentVolume): readonly string[] {
  const found: string[] = [];
  for (const [annotation, reason] of Object.entries(deprecatedAnnotations)) {
    if (metadata.annotations?.[annotation] === undefined) continue;
    found.push(`metadata.annotations[${annotation}]: ${reason}`);
  }
  if (spec.persistentVolumeReclaimPolicy === "Recycle") {
    found.push(
      "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
    );
  }
  (spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).forEach((term, index) => {
    (term.matchExpressions ?? []).forEach(({ key }, at) => {
      const reason = deprecatedNodeLabel(key);
      if (reason === undefined) return;
      const path = `spec.nodeAffinity.required.nodeSelectorTerms[${index}].matchExpressions[${at}].key`;
      found.push(`${path}: ${key} is ${reason}`);
    });
  });
  for (const [source, sentence] of Object.entries(deprecatedSources)) {
    if (spec[source as keyof typeof deprecatedSources] !== undefined) found.push(sentence);
  }
  return found;
}
