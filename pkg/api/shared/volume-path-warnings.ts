import type { Volume, VolumeProjection } from "../generated/core-v1.generated.ts";

interface PlacedFile {
  readonly path: string;
  /** What the file is of, where a volume has several sources. */
  readonly source: string;
}

type Items = readonly { readonly path: string }[];

/** Files of one volume that are written over each other, or below each other. */
export function volumePathWarnings(volumes: readonly Volume[]): readonly string[] {
  return volumes.flatMap((volume) => {
    const { name, configMap, secret, downwardAPI, projected } = volume;
    const warn = (what: string, files: readonly PlacedFile[]) =>
      overlapsOf(files).map(
        (overlap) => `volume ${JSON.stringify(name)} (${what}): overlapping paths: ${overlap}`,
      );
    const empty = (projected?.sources ?? [])
      .filter((source) => Object.keys(source).length === 0)
      .map(() => `volume ${JSON.stringify(name)} (Projected) has no sources provided`);
    return [
      ...warn(`ConfigMap ${JSON.stringify(configMap?.name ?? "")}`, filesOf(configMap?.items, "")),
      ...warn(`Secret ${JSON.stringify(secret?.secretName ?? "")}`, filesOf(secret?.items, "")),
      ...warn("DownwardAPI", filesOf(downwardAPI?.items, "")),
      ...empty,
      ...warn("Projected", (projected?.sources ?? []).flatMap(filesOfProjection)),
    ];
  });
}

function filesOf(items: Items | undefined, source: string): readonly PlacedFile[] {
  return (items ?? []).map(({ path }) => ({ path, source }));
}

function filesOfProjection(projection: VolumeProjection): readonly PlacedFile[] {
  const {
    configMap,
    secret,
    downwardAPI,
    serviceAccountToken,
    clusterTrustBundle,
    podCertificate,
  } = projection;
  if (configMap?.items !== undefined) {
    return filesOf(configMap.items, `ConfigMap ${JSON.stringify(configMap.name)}`);
  }
  if (secret?.items !== undefined) {
    return filesOf(secret.items, `Secret ${JSON.stringify(secret.name)}`);
  }
  if (downwardAPI?.items !== undefined) return filesOf(downwardAPI.items, "DownwardAPI");
  if (serviceAccountToken !== undefined) {
    return filesOf([serviceAccountToken], "ServiceAccountToken");
  }
  if (clusterTrustBundle !== undefined) {
    const { name, signerName = "" } = clusterTrustBundle;
    return filesOf(
      [clusterTrustBundle],
      `ClusterTrustBundle ${JSON.stringify(name ?? signerName)}`,
    );
  }
  const files = {
    chain: podCertificate?.certificateChainPath,
    key: podCertificate?.keyPath,
    "credential bundle": podCertificate?.credentialBundlePath,
  };
  return Object.entries(files).flatMap(([what, path = ""]) =>
    path === "" ? [] : [{ path, source: `PodCertificate ${what}` }],
  );
}

function overlapsOf(files: readonly PlacedFile[]): readonly string[] {
  const found: string[] = [];
  const before: PlacedFile[] = [];
  for (const file of files) {
    const next = { ...file, path: file.path.replace(/\/+$/, "") };
    for (const other of before) {
      if (next.path !== "" && other.path !== "" && overlap(next.path, other.path)) {
        found.push(`${print(next)} with ${print(other)}`);
      }
    }
    before.push(next);
  }
  return found;
}

function overlap(one: string, other: string): boolean {
  return `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`);
}

function print({ path, source }: PlacedFile): string {
  return source === "" ? JSON.stringify(path) : `${JSON.stringify(path)} (${source})`;
}
