import { join } from "node:path";
import type { Pod } from "../../api/generated/core-v1.generated.ts";
import type { ContainerRole, ContainerSpec } from "./container-specs.ts";
import { containerHash } from "./container-specs.ts";

/** Labels and annotations by which a kubelet finds its own again; tools that look at a node rely on them. */
export const names = {
  podName: "io.kubernetes.pod.name",
  podNamespace: "io.kubernetes.pod.namespace",
  podUid: "io.kubernetes.pod.uid",
  containerName: "io.kubernetes.container.name",
  hash: "io.kubernetes.container.hash",
  restartCount: "io.kubernetes.container.restartCount",
  terminationMessagePath: "io.kubernetes.container.terminationMessagePath",
  terminationMessagePolicy: "io.kubernetes.container.terminationMessagePolicy",
  preStopHandler: "io.kubernetes.container.preStopHandler",
  ports: "io.kubernetes.container.ports",
  type: "io.kubernetes.container.type",
  deletionGracePeriod: "io.kubernetes.pod.deletionGracePeriod",
  terminationGracePeriod: "io.kubernetes.pod.terminationGracePeriod",
} as const;

const types: Readonly<Record<ContainerRole, string>> = {
  init: "init",
  sidecar: "init",
  main: "container",
  ephemeral: "ephemeral",
};

export function podLabels(pod: Pod): Record<string, string> {
  return {
    ...pod.metadata.labels,
    [names.podName]: pod.metadata.name,
    [names.podNamespace]: pod.metadata.namespace ?? "",
    [names.podUid]: pod.metadata.uid,
  };
}

export function containerLabels(pod: Pod, container: ContainerSpec): Record<string, string> {
  return {
    [names.podName]: pod.metadata.name,
    [names.podNamespace]: pod.metadata.namespace ?? "",
    [names.podUid]: pod.metadata.uid,
    [names.containerName]: container.spec.name,
  };
}

export function containerAnnotations(
  pod: Pod,
  { role, spec }: ContainerSpec,
  restartCount: number,
): Record<string, string> {
  const { deletionGracePeriodSeconds } = pod.metadata;
  const { terminationGracePeriodSeconds } = pod.spec;
  return {
    [names.hash]: containerHash(spec),
    [names.restartCount]: String(restartCount),
    [names.terminationMessagePath]: spec.terminationMessagePath ?? "",
    [names.terminationMessagePolicy]: spec.terminationMessagePolicy ?? "",
    ...(deletionGracePeriodSeconds === undefined
      ? {}
      : { [names.deletionGracePeriod]: String(deletionGracePeriodSeconds) }),
    ...(terminationGracePeriodSeconds === undefined
      ? {}
      : { [names.terminationGracePeriod]: String(terminationGracePeriodSeconds) }),
    ...(spec.lifecycle?.preStop === undefined
      ? {}
      : { [names.preStopHandler]: JSON.stringify(spec.lifecycle.preStop) }),
    ...(spec.ports === undefined || spec.ports.length === 0
      ? {}
      : { [names.ports]: JSON.stringify(spec.ports) }),
    [names.type]: types[role],
  };
}

/** `<namespace>_<name>_<uid>`: a pod's folder of logs. */
export function podLogFolder(pod: {
  readonly metadata: { readonly namespace?: string; readonly name: string; readonly uid: string };
}): string {
  const { namespace = "", name, uid } = pod.metadata;
  return `${namespace}_${name}_${uid}`;
}

/** Below the pod's folder: `<container>/<restartCount>.log`. */
export function containerLogPath(name: string, restartCount: number): string {
  return join(name, `${restartCount}.log`);
}
