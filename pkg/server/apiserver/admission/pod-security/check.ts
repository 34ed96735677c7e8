import type {
  Container,
  PodSpec,
  SecurityContext,
} from "../../../../api/generated/core-v1.generated.ts";
import type { TemplateMeta } from "../../../../api/object.ts";

/** What a pod is judged by: a pod's own parts, or those of a template. */
export interface CheckedPod {
  readonly metadata: Pick<TemplateMeta, "annotations">;
  readonly spec: PodSpec;
}

/** Why a check refuses a pod. */
export interface Violation {
  /** In a few words; all that is said where many pods are judged at once. */
  readonly reason: string;
  /** What it was that is refused; said of a single pod. */
  readonly detail: string;
}

export type CheckPod = (pod: CheckedPod) => Violation | undefined;

/** One rule of the Pod Security Standards, with each form it has had. */
export interface Check {
  /** Violations are told in the order of these, those of baseline first. */
  readonly id: string;
  /** A restricted namespace obeys the checks of baseline, too. */
  readonly level: "baseline" | "restricted";
  /** The oldest form first. */
  readonly versions: readonly {
    /** 22 for v1.22: the form holds from this policy version on. */
    readonly minor: number;
    readonly check: CheckPod;
    /** Checks of baseline that this one says more strictly, so that nothing is told twice. */
    readonly overrides?: readonly string[];
  }[];
}

/** What the checks look at is the same in all kinds of containers. */
export type CheckedContainer = Pick<
  Container,
  "name" | "securityContext" | "ports" | "livenessProbe" | "readinessProbe" | "startupProbe"
> &
  Pick<Container, "lifecycle">;

/** The containers of a pod in the order they are told in. */
export function containersOf(spec: PodSpec): readonly CheckedContainer[] {
  return [
    ...(spec.initContainers ?? []),
    // A pod without containers is refused by its validation, in its own words.
    ...((spec as Partial<PodSpec>).containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
}

/** The names of the containers for whose security context `isBad` holds. */
export function containersWith(
  spec: PodSpec,
  isBad: (context: SecurityContext | undefined) => boolean,
): readonly string[] {
  return containersOf(spec)
    .filter((container) => isBad(container.securityContext))
    .map((container) => container.name);
}

/** `"a", "b"` */
export function quoted(items: Iterable<string>): string {
  return [...items].map((item) => `"${item}"`).join(", ");
}

/** `"a", "b"`: each once, in alphabetical order. */
export function quotedSet(items: Iterable<string>): string {
  return quoted(sortedSet(items));
}

export function sortedSet(items: Iterable<string>): readonly string[] {
  return [...new Set(items)].sort();
}

export function plural(word: string, count: number): string {
  return count === 1 ? word : `${word}s`;
}

/** `container "a"`, `containers "a", "b"`, `volumes "v", "w"` */
export function named(word: string, names: readonly string[]): string {
  return `${plural(word, names.length)} ${quoted(names)}`;
}

/** `pod and container "a"`: who set what is refused; undefined where nobody did. */
export function settersOf(isPod: boolean, containers: readonly string[]): string | undefined {
  const setters = [
    ...(isPod ? ["pod"] : []),
    ...(containers.length === 0 ? [] : [named("container", containers)]),
  ];
  return setters.length === 0 ? undefined : setters.join(" and ");
}

/** As `check`, but a Windows pod passes: its validation forbids the fields that the check asks for. */
export function exceptWindows(check: CheckPod): CheckPod {
  return (pod) => (pod.spec.os?.name === "windows" ? undefined : check(pod));
}

/** As `check`, but a pod in a user namespace of its own passes: root in it is nobody outside. */
export function exceptUserNamespace(check: CheckPod): CheckPod {
  return (pod) => (pod.spec.hostUsers === false ? undefined : check(pod));
}
