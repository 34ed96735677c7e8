import type { Container, Pod, Volume } from "../generated/core-v1.generated.ts";

/** Every secret that a pod names, wherever it does: each once. */
export function podSecrets(pod: Pod): ReadonlySet<string> {
  const { spec } = pod;
  return named([
    ...(spec?.imagePullSecrets ?? []).map((secret) => secret.name),
    ...containersOf(pod).flatMap(({ env = [], envFrom = [] }) => [
      ...env.map((variable) => variable.valueFrom?.secretKeyRef?.name),
      ...envFrom.map((source) => source.secretRef?.name),
    ]),
    ...(spec?.volumes ?? []).flatMap(volumeSecrets),
  ]);
}

/** Every ConfigMap that a pod names, wherever it does: each once. */
export function podConfigMaps(pod: Pod): ReadonlySet<string> {
  return named([
    ...containersOf(pod).flatMap(({ env = [], envFrom = [] }) => [
      ...env.map((variable) => variable.valueFrom?.configMapKeyRef?.name),
      ...envFrom.map((source) => source.configMapRef?.name),
    ]),
    ...(pod.spec?.volumes ?? []).flatMap(({ configMap, projected }) => [
      configMap?.name,
      ...(projected?.sources ?? []).map((source) => source.configMap?.name),
    ]),
  ]);
}

function containersOf({ spec }: Pod): readonly Pick<Container, "env" | "envFrom">[] {
  return [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
}

function volumeSecrets(volume: Volume): readonly (string | undefined)[] {
  return [
    volume.secret?.secretName,
    ...(volume.projected?.sources ?? []).map((source) => source.secret?.name),
    volume.csi?.nodePublishSecretRef?.name,
    volume.azureFile?.secretName,
    volume.cephfs?.secretRef?.name,
    volume.cinder?.secretRef?.name,
    volume.flexVolume?.secretRef?.name,
    volume.iscsi?.secretRef?.name,
    volume.rbd?.secretRef?.name,
    volume.scaleIO?.secretRef?.name,
    volume.storageos?.secretRef?.name,
  ];
}

function named(names: readonly (string | undefined)[]): ReadonlySet<string> {
  return new Set(names.filter((name): name is string => name !== undefined && name !== ""));
}
