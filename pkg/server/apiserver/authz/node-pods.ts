import type { Pod } from "../../../api/generated/core-v1.generated.ts";
import { podResource } from "../../../api/resources/pod.ts";
import { podConfigMaps, podSecrets } from "../../../api/shared/pod-references.ts";
import type { ObjectFeed } from "./object-feed.ts";

/** What the pods of each node refer to. */
export interface NodePods {
  refersTo(
    nodeName: string,
    resource: "secrets" | "configmaps",
    namespace: string,
    name: string,
  ): boolean;
  /** Whether this pod is bound to the node. */
  isOn(nodeName: string, namespace: string, name: string): boolean;
  /** Whether a pod of the node runs as this ServiceAccount. */
  runsAs(nodeName: string, namespace: string, serviceAccount: string): boolean;
  close(): void;
}

/** Counts references per node as pods come and go, so that a question is one look-up. */
export function createNodePods(feed: ObjectFeed): NodePods {
  const counts = new Map<string, number>();
  const add = (pod: Pod, by: 1 | -1): void => {
    const nodeName = pod.spec?.nodeName;
    if (nodeName === undefined || nodeName === "") return;
    for (const reference of podReferences(pod)) {
      const key = `${nodeName}\n${reference}`;
      const count = (counts.get(key) ?? 0) + by;
      if (count === 0) counts.delete(key);
      else counts.set(key, count);
    }
  };
  const close = feed.subscribe(podResource, (current, previous) => {
    if (previous !== undefined) add(previous, -1);
    if (current !== undefined) add(current, 1);
  });
  return {
    close,
    isOn: (nodeName, namespace, name) => counts.has(`${nodeName}\npods/${namespace}/${name}`),
    refersTo: (nodeName, resource, namespace, name) =>
      counts.has(`${nodeName}\n${resource}/${namespace}/${name}`),
    runsAs: (nodeName, namespace, name) =>
      counts.has(`${nodeName}\nserviceaccounts/${namespace}/${name}`),
  };
}

/** The pod itself, and each secret, config map and service account that it names, as `resource/namespace/name`. */
function podReferences(pod: Pod): ReadonlySet<string> {
  const references = new Set<string>();
  const { namespace = "", name: podName } = pod.metadata;
  references.add(`pods/${namespace}/${podName}`);
  // Static pods get nothing from the API: they must not open it to their node.
  if (pod.metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined) return references;
  const { spec } = pod;
  if (spec === undefined) return references;
  const add = (resource: string, name: string): void => {
    references.add(`${resource}/${namespace}/${name}`);
  };
  if (spec.serviceAccountName) add("serviceaccounts", spec.serviceAccountName);
  for (const name of podSecrets(pod)) add("secrets", name);
  for (const name of podConfigMaps(pod)) add("configmaps", name);
  return references;
}
