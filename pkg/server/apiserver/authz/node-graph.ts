import type { PersistentVolume, Pod } from "../../../api/generated/core-v1.generated.ts";
import { persistentVolumeResource } from "../../../api/resources/persistentvolume.ts";
import { podResource } from "../../../api/resources/pod.ts";
import { resourceSliceResource } from "../../../api/resources/resourceslice.ts";
import { volumeAttachmentResource } from "../../../api/resources/volumeattachment.ts";
import { podConfigMaps, podSecrets } from "../../../api/shared/pod-references.ts";
import type { ObjectReader } from "../admission/admission.ts";
import type { ObjectFeed } from "./object-feed.ts";

/** What a pod refers to by name, in its own namespace; the pod itself is one of them. */
type PodRelated =
  | "configmaps"
  | "persistentvolumeclaims"
  | "pods"
  | "resourceclaims"
  | "secrets"
  | "serviceaccounts";

/** What is a node's affair: its pods, what they refer to, and what that refers to. */
export type NodeRelated = PodRelated | "persistentvolumes" | "resourceslices" | "volumeattachments";

/** Which objects a node has to do with. */
export interface NodeGraph {
  /** `namespace` is "" for cluster-scoped kinds. */
  relates(nodeName: string, resource: NodeRelated, namespace: string, name: string): boolean;
  close(): void;
}

/** Counts references per node as pods and volumes come and go, so that a question is a look-up or two. */
export function createNodeGraph(feed: ObjectFeed, reader: ObjectReader): NodeGraph {
  const counts = new Map<string, number>();
  /** The volumes that need a secret: `namespace/name` → names. */
  const volumesOfSecret = new Map<string, Set<string>>();

  const addPod = (pod: Pod, by: 1 | -1): void => {
    const nodeName = pod.spec?.nodeName;
    if (nodeName === undefined || nodeName === "") return;
    for (const reference of podReferences(pod)) {
      const key = `${nodeName}\n${reference}`;
      const count = (counts.get(key) ?? 0) + by;
      if (count === 0) counts.delete(key);
      else counts.set(key, count);
    }
  };
  const stops = [
    feed.subscribe(podResource, (current, previous) => {
      if (previous !== undefined) addPod(previous, -1);
      if (current !== undefined) addPod(current, 1);
    }),
    feed.subscribe(persistentVolumeResource, (current, previous) => {
      if (previous !== undefined) {
        for (const secret of volumeSecrets(previous)) {
          const volumes = volumesOfSecret.get(secret);
          volumes?.delete(previous.metadata.name);
          if (volumes?.size === 0) volumesOfSecret.delete(secret);
        }
      }
      if (current === undefined) return;
      for (const secret of volumeSecrets(current)) {
        const volumes = volumesOfSecret.get(secret) ?? new Set();
        volumesOfSecret.set(secret, volumes.add(current.metadata.name));
      }
    }),
  ];

  const byPod = (nodeName: string, resource: PodRelated, namespace: string, name: string) =>
    counts.has(`${nodeName}\n${resource}/${namespace}/${name}`);

  const byVolume = (nodeName: string, name: string): boolean => {
    const claim = reader.get(persistentVolumeResource, undefined, name)?.spec.claimRef;
    if (claim === undefined) return false;
    return byPod(nodeName, "persistentvolumeclaims", claim.namespace ?? "", claim.name ?? "");
  };

  return {
    close() {
      for (const stop of stops) stop();
    },
    relates(nodeName, resource, namespace, name) {
      switch (resource) {
        case "persistentvolumes":
          return byVolume(nodeName, name);
        case "volumeattachments":
          return reader.get(volumeAttachmentResource, undefined, name)?.spec.nodeName === nodeName;
        case "resourceslices":
          return reader.get(resourceSliceResource, undefined, name)?.spec.nodeName === nodeName;
        case "secrets": {
          if (byPod(nodeName, resource, namespace, name)) return true;
          const volumes = volumesOfSecret.get(`${namespace}/${name}`) ?? [];
          return [...volumes].some((volume) => byVolume(nodeName, volume));
        }
        default:
          return byPod(nodeName, resource, namespace, name);
      }
    },
  };
}

/** The pod itself, and each object that it names, as `resource/namespace/name`. */
function podReferences(pod: Pod): ReadonlySet<string> {
  const references = new Set<string>();
  const { namespace = "", name: podName } = pod.metadata;
  const add = (resource: PodRelated, name: string | undefined): void => {
    if (name !== undefined && name !== "") references.add(`${resource}/${namespace}/${name}`);
  };
  add("pods", podName);
  // Static pods get nothing from the API: they must not open it to their node.
  if (pod.metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined) return references;
  const { spec, status } = pod;
  if (spec === undefined) return references;
  add("serviceaccounts", spec.serviceAccountName);
  for (const name of podSecrets(pod)) add("secrets", name);
  for (const name of podConfigMaps(pod)) add("configmaps", name);
  for (const { name, persistentVolumeClaim, ephemeral } of spec.volumes ?? []) {
    add("persistentvolumeclaims", persistentVolumeClaim?.claimName);
    if (ephemeral !== undefined) add("persistentvolumeclaims", `${podName}-${name}`);
  }
  for (const claim of spec.resourceClaims ?? []) add("resourceclaims", claim.resourceClaimName);
  for (const made of status?.resourceClaimStatuses ?? []) {
    add("resourceclaims", made.resourceClaimName);
  }
  add("resourceclaims", status?.extendedResourceClaimStatus?.resourceClaimName);
  return references;
}

/** The secrets that a kubelet needs to mount a volume, as `namespace/name`. */
function volumeSecrets({ spec }: PersistentVolume): ReadonlySet<string> {
  const claimNamespace = spec.claimRef?.namespace ?? "";
  if (spec.claimRef === undefined) return new Set();
  const { azureFile, csi } = spec;
  const references = [
    azureFile === undefined
      ? undefined
      : { name: azureFile.secretName, namespace: azureFile.secretNamespace },
    spec.cephfs?.secretRef,
    spec.cinder?.secretRef,
    spec.flexVolume?.secretRef,
    spec.rbd?.secretRef,
    spec.scaleIO?.secretRef,
    spec.iscsi?.secretRef,
    spec.storageos?.secretRef,
    csi?.nodePublishSecretRef,
    csi?.nodeStageSecretRef,
    csi?.nodeExpandSecretRef,
  ];
  return new Set(
    references.flatMap((reference) => {
      const name = reference?.name ?? "";
      return name === "" ? [] : [`${reference?.namespace || claimNamespace}/${name}`];
    }),
  );
}
