import { forbidden, invalid } from "../field-error.ts";
import type {
  AppArmorProfile,
  Pod,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from "../generated/core-v1.generated.ts";
import type { Draft, TemplateMeta } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";
import { validateDescendingPath } from "./validate-paths.ts";
import { containersWithPaths } from "./validate-pod-os.ts";
import { validateAppArmorProfile } from "./validate-security-context.ts";

// Profiles were said by annotations before there were fields for them.
export const podSeccomp = "seccomp.security.alpha.kubernetes.io/pod";
export const containerSeccompPrefix = "container.seccomp.security.alpha.kubernetes.io/";
export const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";

const local = "localhost/";
const runtimeDefault = "runtime/default";
const unconfined = "unconfined";

interface Annotated {
  readonly metadata: TemplateMeta;
  readonly spec: PodSpec;
}

/** How each annotation is written. */
export function validateProfileAnnotations(
  { metadata: { annotations = {} }, spec }: Annotated,
  path: string,
  errors: FieldError[],
): void {
  const pod = annotations[podSeccomp];
  if (pod !== undefined) validateSeccomp(pod, `${path}.${podSeccomp}`, errors);
  for (const [key, profile] of Object.entries(annotations)) {
    if (key.startsWith(containerSeccompPrefix)) validateSeccomp(profile, `${path}.${key}`, errors);
  }
  const names = new Set(containersWithPaths(spec, "").map(({ container }) => container.name));
  for (const [key, profile] of Object.entries(annotations)) {
    if (!key.startsWith(appArmorPrefix)) continue;
    const name = key.slice(appArmorPrefix.length);
    if (!names.has(name)) errors.push(invalid(`${path}[${key}]`, name, "container not found"));
    if (!["", runtimeDefault, unconfined].includes(profile) && !profile.startsWith(local)) {
      const detail = `invalid AppArmor profile name: ${JSON.stringify(profile)}`;
      errors.push(invalid(`${path}[${key}]`, profile, detail));
    }
  }
}

function validateSeccomp(profile: string, path: string, errors: FieldError[]): void {
  if ([runtimeDefault, "docker/default", unconfined].includes(profile)) return;
  if (profile.startsWith(local)) {
    validateDescendingPath(profile.slice(local.length), path, errors);
  } else errors.push(invalid(path, profile, "must be a valid seccomp profile"));
}

/** Who says a profile both ways says the same. */
export function validateProfilesMatch(
  { metadata: { annotations = {} }, spec }: Annotated,
  path: string,
  errors: FieldError[],
): void {
  const containers = containersWithPaths(spec, path);
  const { seccompProfile, appArmorProfile } = spec.securityContext ?? {};
  const seccomp = `${path}.securityContext.seccompProfile`;
  matchProfile(annotations[podSeccomp], seccompProfile, "seccomp", seccomp, errors);
  for (const { container, path: at } of containers) {
    const annotation = annotations[`${containerSeccompPrefix}${container.name}`];
    const profile = container.securityContext?.seccompProfile;
    const profilePath = `${at}.securityContext.seccompProfile`;
    matchProfile(annotation, profile, "seccomp", profilePath, errors);
  }
  if (spec.os?.name === "windows") return;
  for (const { container, path: at } of containers) {
    const annotation = annotations[`${appArmorPrefix}${container.name}`];
    const profile = container.securityContext?.appArmorProfile ?? appArmorProfile;
    const profilePath = `${at}.securityContext.appArmorProfile`;
    matchProfile(annotation, profile, "apparmor", profilePath, errors);
  }
}

function matchProfile(
  annotation: string | undefined,
  profile: SeccompProfile | AppArmorProfile | undefined,
  what: "seccomp" | "apparmor",
  path: string,
  errors: FieldError[],
): void {
  if (annotation === undefined || profile === undefined) return;
  const sameType = typesOf(annotation, what).includes(profile.type);
  if (["Localhost", "RuntimeDefault", "Unconfined"].includes(profile.type) && !sameType) {
    errors.push(forbidden(`${path}.type`, `${what} type in annotation and field must match`));
  } else if (
    profile.type === "Localhost" &&
    annotation.slice(local.length) !== profile.localhostProfile
  ) {
    const detail = `${what} profile in annotation and field must match`;
    errors.push(forbidden(`${path}.localhostProfile`, detail));
  }
}

function typesOf(
  annotation: string,
  what: "seccomp" | "apparmor",
): readonly AppArmorProfile["type"][] {
  if (annotation === unconfined) return ["Unconfined"];
  if (annotation === runtimeDefault) return ["RuntimeDefault"];
  if (annotation === "docker/default" && what === "seccomp") return ["RuntimeDefault"];
  return annotation.startsWith(local) ? ["Localhost"] : [];
}

/** What the annotation says, if it can be said by the field. */
export function appArmorOf(annotation: string): AppArmorProfile | undefined {
  const [type] = typesOf(annotation, "apparmor");
  if (type === undefined || type !== "Localhost") return type === undefined ? undefined : { type };
  const profile = { type, localhostProfile: annotation.slice(local.length) };
  const errors: FieldError[] = [];
  validateAppArmorProfile(profile, "", errors);
  return errors.length === 0 ? profile : undefined;
}

/** Nodes read the fields alone: a new pod's annotations are written into them. */
export function applyAppArmorAnnotations(pod: Draft<Pod>): void {
  for (const { container, annotation } of appArmorAnnotations(pod)) {
    if (container.securityContext?.appArmorProfile !== undefined) continue;
    const profile = appArmorOf(annotation);
    if (profile === undefined) continue;
    if (equalJson(profile, pod.spec.securityContext?.appArmorProfile)) continue;
    container.securityContext = { ...container.securityContext, appArmorProfile: profile };
  }
}

/** For a new pod, whose annotations are by now in its fields, and for a template. */
export function appArmorWarnings(pod: Annotated, path: string): readonly string[] {
  const ofPod = pod.spec.securityContext?.appArmorProfile;
  return appArmorAnnotations(pod).flatMap(({ key, annotation, container }) => {
    const profile = appArmorOf(annotation);
    const ofContainer = container.securityContext?.appArmorProfile;
    const applied = path === "metadata.annotations" ? profile : undefined;
    if (ofContainer !== undefined && !equalJson(ofContainer, applied)) return [];
    if (ofPod !== undefined && equalJson(profile, ofPod)) return [];
    return [`${path}[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`];
  });
}

function appArmorAnnotations({ metadata: { annotations = {} }, spec }: Annotated) {
  if (spec.os?.name === "windows") return [];
  return containersWithPaths<AppArmored>(spec, "").flatMap(({ container }) => {
    const key = `${appArmorPrefix}${container.name}`;
    const annotation = annotations[key];
    return annotation === undefined ? [] : [{ key, annotation, container }];
  });
}

interface AppArmored {
  readonly name: string;
  securityContext?: SecurityContext;
}
