import type { Pod, VolumeProjection } from "../../../api/generated/core-v1.generated.ts";
import { type DirectoryFile, writeDirectoryAtomically } from "../../host/atomic-directory.ts";
import { configMapFiles, downwardFiles, secretFiles } from "./payload.ts";
import { type VolumeContext, VolumeError, type VolumeKind } from "./volume.ts";

const defaultExpirationSeconds = 3_600;

/** Several sources in one folder in memory, among them a service account's token, which is renewed in time. */
export const projectedVolume: VolumeKind = {
  plugin: "kubernetes.io~projected",
  handles: (volume) => volume.projected !== undefined,
  async setUp(context, signal) {
    const { sources = [], defaultMode } = context.volume.projected ?? {};
    const files = new Map<string, DirectoryFile>();
    let renewAtMs: number | undefined;
    for (const source of sources) {
      const part = await sourceFiles(source, defaultMode, context, signal);
      for (const file of part.files) files.set(file.path, file);
      if (part.renewAtMs !== undefined)
        renewAtMs = Math.min(renewAtMs ?? Number.POSITIVE_INFINITY, part.renewAtMs);
    }
    await writeDirectoryAtomically(context.memoryFolder, [...files.values()]);
    return {
      path: context.memoryFolder,
      ownedByPod: true,
      readOnly: true,
      ...(renewAtMs === undefined ? {} : { renewAtMs }),
    };
  },
};

interface SourcePart {
  readonly files: readonly DirectoryFile[];
  readonly renewAtMs?: number;
}

async function sourceFiles(
  source: VolumeProjection,
  mode: number | undefined,
  context: VolumeContext,
  signal: AbortSignal,
): Promise<SourcePart> {
  if (source.configMap !== undefined) {
    const { name = "", items, optional = false } = source.configMap;
    const found = context.configMap(name);
    if (found !== undefined) return { files: configMapFiles(found, items, mode, optional) };
    if (optional) return { files: [] };
    throw new VolumeError(`configmap "${name}" not found`);
  }
  if (source.secret !== undefined) {
    const { name = "", items, optional = false } = source.secret;
    const found = context.secret(name);
    if (found !== undefined) return { files: secretFiles(found, items, mode, optional) };
    if (optional) return { files: [] };
    throw new VolumeError(`secret "${name}" not found`);
  }
  if (source.downwardAPI !== undefined)
    return { files: downwardFiles(source.downwardAPI.items ?? [], mode, context) };
  if (source.serviceAccountToken !== undefined) {
    const {
      path,
      audience,
      expirationSeconds = defaultExpirationSeconds,
    } = source.serviceAccountToken;
    const { token, renewAtMs } = await context.token(audience, expirationSeconds, signal);
    const file = { path, content: Buffer.from(token), ...tokenAccess(context.pod, mode) };
    return { files: [file], renewAtMs };
  }
  throw new VolumeError(
    `projected volume source ${Object.keys(source).join(", ")} is not supported by this node`,
  );
}

/** A token is for its pod alone: for the one user that all containers run as, or for the pod's group. */
function tokenAccess(pod: Pod, mode: number | undefined): Pick<DirectoryFile, "mode" | "owner"> {
  if (pod.spec.securityContext?.fsGroup !== undefined) return { mode: 0o600 };
  const users = new Set(
    [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(
      ({ securityContext }) => securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser,
    ),
  );
  const [uid] = users;
  if (users.size === 1 && uid !== undefined) return { mode: 0o600, owner: { uid, gid: 0 } };
  return { mode: mode ?? 0o644 };
}
