import type { Pod, Service } from "../../../api/generated/core-v1.generated.ts";
import { matchesMap } from "../../../api/labels.ts";
import { keyOf, type ObjectKey } from "../../../api/object.ts";
import { equalJson } from "../../../api/patch/json-value.ts";
import { isPodReady, isPodTerminal } from "../../../api/shared/pod-status.ts";
import type { Watch } from "../../../client/controller.ts";
import type { Informer } from "../../../client/informer.ts";
import { watchChanges } from "../../../client/watches.ts";

/** Reconciles the services that select a pod, or did, when something changed that shows in their endpoints. */
export function watchPodsOfServices(pods: Informer<Pod>, services: Informer<Service>): Watch {
  return watchChanges(pods, (pod, previous) => {
    if (previous === undefined) return selecting(services, pod);
    const relabeled = !equalJson(pod.metadata.labels, previous.metadata.labels);
    if (!relabeled && !differs(pod, previous)) return [];
    const keys = selecting(services, pod);
    return relabeled ? [...new Set([...keys, ...selecting(services, previous)])] : keys;
  });
}

/** Whether a service is given endpoints from its selector. An empty one is none: it would select every pod. */
export function hasSelector({ spec }: Service): boolean {
  return Object.keys(spec.selector ?? {}).length > 0 && spec.type !== "ExternalName";
}

function selecting(services: Informer<Service>, pod: Pod): readonly ObjectKey[] {
  return services
    .list(pod.metadata.namespace)
    .filter(
      (service) =>
        hasSelector(service) && matchesMap(service.spec.selector ?? {}, pod.metadata.labels),
    )
    .map(keyOf);
}

function differs(pod: Pod, previous: Pod): boolean {
  return (
    isPodReady(pod) !== isPodReady(previous) ||
    isPodTerminal(pod) !== isPodTerminal(previous) ||
    pod.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp ||
    pod.spec.nodeName !== previous.spec.nodeName ||
    !equalJson(pod.status.podIPs, previous.status.podIPs)
  );
}
