import type { Check, CheckedPod, CheckPod, Violation } from "./check.ts";
import { allowPrivilegeEscalation } from "./checks/allow-privilege-escalation.ts";
import { appArmorProfile } from "./checks/app-armor-profile.ts";
import { capabilitiesBaseline } from "./checks/capabilities-baseline.ts";
import { capabilitiesRestricted } from "./checks/capabilities-restricted.ts";
import { hostNamespaces } from "./checks/host-namespaces.ts";
import { hostPathVolumes } from "./checks/host-path-volumes.ts";
import { hostPorts } from "./checks/host-ports.ts";
import { hostProbesAndHostLifecycle } from "./checks/host-probes-and-host-lifecycle.ts";
import { privileged } from "./checks/privileged.ts";
import { procMountBaseline, procMountRestricted } from "./checks/proc-mount.ts";
import { restrictedVolumes } from "./checks/restricted-volumes.ts";
import { runAsNonRoot } from "./checks/run-as-non-root.ts";
import { runAsUser } from "./checks/run-as-user.ts";
import { seLinuxOptions } from "./checks/se-linux-options.ts";
import { seccompProfileBaseline, seccompProfileRestricted } from "./checks/seccomp-profile.ts";
import { sysctls } from "./checks/sysctls.ts";
import { windowsHostProcess } from "./checks/windows-host-process.ts";
import type { LevelVersion } from "./policy.ts";

/** The Pod Security Standards. */
const checks: readonly Check[] = [
  allowPrivilegeEscalation,
  appArmorProfile,
  capabilitiesBaseline,
  capabilitiesRestricted,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbesAndHostLifecycle,
  privileged,
  procMountBaseline,
  procMountRestricted,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seLinuxOptions,
  seccompProfileBaseline,
  seccompProfileRestricted,
  sysctls,
  windowsHostProcess,
];

/** No check has changed after this version: what is newer is judged by its rules. */
const newestMinor = Math.max(
  ...checks.flatMap(({ versions }) => versions.map(({ minor }) => minor)),
);

const cache = new Map<string, readonly CheckPod[]>();

/** Judges a pod by a level of the standards; empty where it keeps to it. */
export function violationsOf(asked: LevelVersion, pod: CheckedPod): readonly Violation[] {
  if (asked.level === "privileged") return [];
  const minor = asked.minor === "latest" ? newestMinor : Math.min(asked.minor, newestMinor);
  return checksOf(asked.level, minor).flatMap((check) => check(pod) ?? []);
}

function checksOf(level: "baseline" | "restricted", minor: number): readonly CheckPod[] {
  const key = `${level}:${minor}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const inForce = checks
    .filter((check) => level === "restricted" || check.level === "baseline")
    .flatMap((check) => {
      const form = check.versions.findLast((version) => version.minor <= minor);
      return form === undefined ? [] : [{ ...check, form }];
    });
  const overridden = new Set(inForce.flatMap(({ form }) => form.overrides ?? []));
  const ordered = inForce
    .filter(({ id }) => !overridden.has(id))
    .sort((a, b) => (a.level === b.level ? (a.id < b.id ? -1 : 1) : a.level < b.level ? -1 : 1));
  const functions = ordered.map(({ form }) => form.check);
  cache.set(key, functions);
  return functions;
}

/** `host ports, privileged` */
export function printReasons(violations: readonly Violation[]): string {
  return violations.map(({ reason }) => reason).join(", ");
}

/** `privileged (container "c" must not …), host namespaces (hostPID=true)` */
export function printViolations(violations: readonly Violation[]): string {
  return violations
    .map(({ reason, detail }) => (detail === "" ? reason : `${reason} (${detail})`))
    .join(", ");
}
