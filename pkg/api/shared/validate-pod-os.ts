import { forbidden, invalid, notSupported, required } from "../field-error.ts";
import type { Container, PodSpec } from "../generated/core-v1.generated.ts";
import type { FieldError } from "../resource.ts";

type ContainerLike = Pick<Container, "name" | "securityContext">;

/** Each container of a pod with its path, in upstream's order. */
export function containersWithPaths<T extends ContainerLike = ContainerLike>(
  spec: PodSpec,
  path: string,
): readonly { readonly container: T; readonly path: string }[] {
  return (["initContainers", "containers", "ephemeralContainers"] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, index) => ({
      container: container as unknown as T,
      path: `${path}.${list}[${index}]`,
    })),
  );
}

const names = ["linux", "windows"];

/** What a pod that names its operating system says fits to that. */
export function validatePodOs(spec: PodSpec, path: string, errors: FieldError[]): void {
  const { os } = spec;
  if (os === undefined) return;
  if (os.name === "") errors.push(required(`${path}.os.name`));
  else if (!names.includes(os.name)) errors.push(notSupported(`${path}.os`, os.name, names));
  else if (os.name === "linux") validateLinux(spec, path, errors);
  else validateWindows(spec, path, errors);
}

function validateLinux(spec: PodSpec, path: string, errors: FieldError[]): void {
  const places = [
    { context: spec.securityContext, path },
    ...containersWithPaths(spec, path).map(({ container, path: at }) => ({
      context: container.securityContext,
      path: at,
    })),
  ];
  for (const { context, path: at } of places) {
    if (context?.windowsOptions === undefined) continue;
    const detail = "windows options cannot be set for a linux pod";
    errors.push(forbidden(`${at}.securityContext.windowsOptions`, detail));
  }
}

const linuxOfPod = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "fsGroup",
  "fsGroupChangePolicy",
  "sysctls",
  "runAsUser",
  "runAsGroup",
  "supplementalGroups",
  "supplementalGroupsPolicy",
  "seLinuxChangePolicy",
] as const;

const linuxOfContainers = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
] as const;

function validateWindows(spec: PodSpec, path: string, errors: FieldError[]): void {
  const refuse = (at: string) => errors.push(forbidden(at, "cannot be set for a windows pod"));
  for (const field of linuxOfPod) {
    if (spec.securityContext?.[field] !== undefined) refuse(`${path}.securityContext.${field}`);
  }
  for (const field of ["hostUsers", "shareProcessNamespace"] as const) {
    if (spec[field] !== undefined) refuse(`${path}.${field}`);
  }
  for (const field of ["hostPID", "hostIPC"] as const) {
    if (spec[field] === true) refuse(`${path}.${field}`);
  }
  for (const { container, path: at } of containersWithPaths(spec, path)) {
    for (const field of linuxOfContainers) {
      if (container.securityContext?.[field] !== undefined) {
        refuse(`${at}.securityContext.${field}`);
      }
    }
  }
}

/** Containers that are processes of a Windows host: all of a pod's are, or none is. */
export function validateHostProcess(spec: PodSpec, path: string, errors: FieldError[]): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  const containers = containersWithPaths(spec, path);
  let hostProcesses = 0;
  for (const { container, path: at } of containers) {
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      errors.push(
        invalid(
          `${at}.securityContext.windowsOptions.hostProcess`,
          own,
          `pod hostProcess value must be identical if both are specified, was ${ofPod}`,
        ),
      );
    }
    if (own ?? ofPod) hostProcesses += 1;
  }
  if (hostProcesses === 0) return;
  if (hostProcesses !== containers.length) {
    errors.push(
      invalid(
        path,
        "",
        "If pod contains any hostProcess containers then all containers must be HostProcess containers",
      ),
    );
  }
  if (spec.hostNetwork !== true) {
    errors.push(
      invalid(
        `${path}.hostNetwork`,
        false,
        "hostNetwork must be true if pod contains any hostProcess containers",
      ),
    );
  }
}
