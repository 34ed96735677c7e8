import type {
  Container,
  Pod,
  SeccompProfile,
  SecurityContext,
} from "../../api/generated/core-v1.generated.ts";
import { ContainerConfigError } from "./environment.ts";

/** CRI's NamespaceMode. */
const namespaceMode = { pod: 0, container: 1, node: 2, target: 3 } as const;

/** CRI's SecurityProfile: RuntimeDefault, Unconfined, Localhost. */
function seccomp(profile: SeccompProfile | undefined) {
  if (profile === undefined) return undefined;
  switch (profile.type) {
    case "RuntimeDefault":
      return { profileType: 0 as const };
    case "Unconfined":
      return { profileType: 1 as const };
    case "Localhost":
      return { profileType: 2 as const, localhostRef: profile.localhostProfile ?? "" };
  }
}

function namespaceOptions(pod: Pod, targetId?: string) {
  return {
    network: pod.spec.hostNetwork === true ? namespaceMode.node : namespaceMode.pod,
    ipc: pod.spec.hostIPC === true ? namespaceMode.node : namespaceMode.pod,
    ...(targetId === undefined ? { pid: pidMode(pod) } : { pid: namespaceMode.target, targetId }),
  };
}

function pidMode(pod: Pod) {
  if (pod.spec.hostPID === true) return namespaceMode.node;
  return pod.spec.shareProcessNamespace === true ? namespaceMode.pod : namespaceMode.container;
}

function supplementalGroups(pod: Pod): bigint[] {
  const { fsGroup, supplementalGroups: groups = [] } = pod.spec.securityContext ?? {};
  return [...groups, ...(fsGroup === undefined ? [] : [fsGroup])].map((group) => BigInt(group));
}

export function sandboxSecurity(pod: Pod) {
  const { runAsUser, runAsGroup, seccompProfile } = pod.spec.securityContext ?? {};
  const privileged = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some(
    (container) => container.securityContext?.privileged === true,
  );
  const profile = seccomp(seccompProfile) ?? { profileType: 0 as const };
  return {
    privileged,
    namespaceOptions: namespaceOptions(pod),
    supplementalGroups: supplementalGroups(pod),
    // The pause program itself needs nothing that the default profile forbids.
    seccomp: privileged ? { profileType: 1 as const } : profile,
    ...(runAsUser === undefined ? {} : { runAsUser: { value: BigInt(runAsUser) } }),
    ...(runAsGroup === undefined || runAsUser === undefined
      ? {}
      : { runAsGroup: { value: BigInt(runAsGroup) } }),
  };
}

/** Paths that a container must not see or change, as the container runtimes agree on. */
const maskedPaths = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** The user that the image itself names: a number, or a name that only the image can resolve. */
export interface ImageUser {
  readonly uid: number | undefined;
  readonly username: string;
}

export function containerSecurity(
  pod: Pod,
  container: Container,
  image: ImageUser,
  targetId?: string,
) {
  const own: SecurityContext = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const runAsUser = own.runAsUser ?? shared.runAsUser;
  const runAsGroup = own.runAsGroup ?? shared.runAsGroup;
  const nonRoot = own.runAsNonRoot ?? shared.runAsNonRoot ?? false;
  if (nonRoot) assertNonRoot(pod, container, runAsUser, image);
  const privileged = own.privileged === true;
  const unmasked = own.procMount === "Unmasked" || privileged;
  const profile = seccomp(own.seccompProfile ?? shared.seccompProfile);
  return {
    privileged,
    namespaceOptions: namespaceOptions(pod, targetId),
    supplementalGroups: supplementalGroups(pod),
    readonlyRootfs: own.readOnlyRootFilesystem === true,
    noNewPrivs: own.allowPrivilegeEscalation === false,
    seccomp: profile ?? { profileType: 1 as const },
    capabilities: {
      addCapabilities: [...(own.capabilities?.add ?? [])],
      dropCapabilities: [...(own.capabilities?.drop ?? [])],
    },
    maskedPaths: unmasked ? [] : maskedPaths,
    readonlyPaths: unmasked ? [] : readonlyPaths,
    ...userOf(runAsUser, image),
    ...(runAsGroup === undefined ? {} : { runAsGroup: { value: BigInt(runAsGroup) } }),
  };
}

function userOf(runAsUser: number | undefined, image: ImageUser) {
  if (runAsUser !== undefined) return { runAsUser: { value: BigInt(runAsUser) } };
  if (image.uid !== undefined) return { runAsUser: { value: BigInt(image.uid) } };
  return image.username === "" ? {} : { runAsUsername: image.username };
}

function assertNonRoot(
  pod: Pod,
  container: Container,
  runAsUser: number | undefined,
  image: ImageUser,
): void {
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`;
  if (runAsUser !== undefined) {
    if (runAsUser !== 0) return;
    throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${where}`);
  }
  if (image.uid !== undefined) {
    if (image.uid !== 0) return;
    throw new ContainerConfigError(
      `container has runAsNonRoot and image will run as root ${where}`,
    );
  }
  if (image.username !== "")
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`,
    );
  throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${where}`);
}
