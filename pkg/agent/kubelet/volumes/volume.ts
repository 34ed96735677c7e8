import type { ConfigMap, Pod, Secret, Volume } from "../../../api/generated/core-v1.generated.ts";
import type { Mounts } from "../../host/mounts.ts";
import type { EnvironmentInput } from "../environment.ts";

/** The volume cannot be set up: the sentence goes into the pod's FailedMount event. */
export class VolumeError extends Error {
  override readonly name = "VolumeError";
}

export interface VolumeContext {
  readonly pod: Pod;
  readonly volume: Volume;
  /** The volume's own folder on the disk; its parent exists. */
  readonly folder: string;
  /** The same in memory, for what must not touch the disk. */
  readonly memoryFolder: string;
  readonly mounts: Mounts;
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
  /** A current token of the pod's service account. */
  token(
    audience: string | undefined,
    expirationSeconds: number,
    signal: AbortSignal,
  ): Promise<{ readonly token: string; readonly renewAtMs: number }>;
  /** For downward API files. */
  readonly fields: Pick<EnvironmentInput, "pod" | "podIps" | "hostIps" | "allocatable">;
}

export interface VolumeOutcome {
  /** What is mounted into containers. */
  readonly path: string;
  /** Files are given to the pod's fsGroup. */
  readonly ownedByPod: boolean;
  readonly readOnly: boolean;
  /** When `setUp` has to run again even if nothing changed. */
  readonly renewAtMs?: number;
}

/**
 * One kind of volume. `setUp` may run any number of times and each time makes the volume show what it should now;
 * it runs again when the pod, or a ConfigMap or Secret that the pod names, changed. Folders and mounts are taken
 * away by the caller.
 */
export interface VolumeKind {
  /** The folder's name below the pod's `volumes/`, as upstream has it. */
  readonly plugin: string;
  handles(volume: Volume): boolean;
  setUp(context: VolumeContext, signal: AbortSignal): Promise<VolumeOutcome>;
}
