import {
  type Check,
  type CheckedPod,
  type CheckPod,
  containersOf,
  containersWith,
  exceptWindows,
  named,
  plural,
  quotedSet,
  settersOf,
  sortedSet,
  type Violation,
} from "../check.ts";

const reason = "seccompProfile";
const podAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
const containerAnnotationPrefix = "container.seccomp.security.alpha.kubernetes.io/";

/** Nobody switches the system call filter off. */
export const seccompProfileBaseline: Check = {
  id: "seccompProfile_baseline",
  level: "baseline",
  versions: [
    { minor: 0, check: annotationViolation },
    { minor: 19, check: badProfile },
  ],
};

const restricted: CheckPod = (pod) => badProfile(pod) ?? missingProfile(pod);
const overrides = ["seccompProfile_baseline"];

/** Everybody has a system call filter, and says so. */
export const seccompProfileRestricted: Check = {
  id: "seccompProfile_restricted",
  level: "restricted",
  versions: [
    { minor: 19, check: restricted, overrides },
    { minor: 25, check: exceptWindows(restricted), overrides },
  ],
};

function annotationViolation({ metadata, spec }: CheckedPod): Violation | undefined {
  const { annotations = {} } = metadata;
  const keys = [
    podAnnotation,
    ...containersOf(spec).map(({ name }) => `${containerAnnotationPrefix}${name}`),
  ];
  const forbidden = keys.flatMap((key) => {
    const value = annotations[key];
    if (value === undefined || isAllowedAnnotation(value)) return [];
    return [`${key}=${JSON.stringify(value)}`];
  });
  if (forbidden.length === 0) return undefined;
  const told = sortedSet(forbidden);
  return {
    reason,
    detail: `forbidden ${plural("annotation", told.length)} ${told.join(", ")}`,
  };
}

function isAllowedAnnotation(value: string): boolean {
  return (
    value === "runtime/default" || value === "docker/default" || value.startsWith("localhost/")
  );
}

function badProfile({ spec }: CheckedPod): Violation | undefined {
  const types: string[] = [];
  const isBad = (profile: { readonly type?: string } | undefined): boolean => {
    if (profile === undefined || isAllowed(profile.type)) return false;
    types.push(profile.type ?? "");
    return true;
  };
  const ofPod = isBad(spec.securityContext?.seccompProfile);
  const bad = containersWith(spec, (context) => isBad(context?.seccompProfile));
  const setters = settersOf(ofPod, bad);
  if (setters === undefined) return undefined;
  return {
    reason,
    detail: `${setters} must not set securityContext.seccompProfile.type to ${quotedSet(types)}`,
  };
}

function missingProfile({ spec }: CheckedPod): Violation | undefined {
  if (spec.securityContext?.seccompProfile !== undefined) return undefined;
  const silent = containersWith(spec, (context) => context?.seccompProfile === undefined);
  if (silent.length === 0) return undefined;
  return {
    reason,
    detail: `pod or ${named("container", silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
}

function isAllowed(type: string | undefined): boolean {
  return type === "RuntimeDefault" || type === "Localhost";
}
