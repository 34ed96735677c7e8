import { invalid, notFound, required } from "../field-error.ts";
import type { Container, Volume } from "../generated/core-v1.generated.ts";
import type { FieldError } from "../resource.ts";

/** Volumes that a container gets as raw blocks, not as file systems. */
export function validateVolumeDevices(
  { volumeDevices = [], volumeMounts = [] }: Container,
  volumes: ReadonlyMap<string, Volume>,
  path: string,
  errors: FieldError[],
): void {
  const names = new Set<string>();
  const paths = new Set<string>();
  volumeDevices.forEach(({ name, devicePath }, index) => {
    const at = `${path}[${index}]`;
    const refuse = (field: "name" | "devicePath", value: string, detail: string) =>
      errors.push(invalid(`${at}.${field}`, value, detail));
    if (name === "") errors.push(required(`${at}.name`));
    if (names.has(name)) refuse("name", name, "must be unique");
    const volume = volumes.get(name);
    if (volume === undefined) errors.push(notFound(`${at}.name`, name));
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
      refuse(
        "name",
        name,
        "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode",
      );
    }
    if (devicePath === "") errors.push(required(`${at}.devicePath`));
    if (paths.has(devicePath)) refuse("devicePath", devicePath, "must be unique");
    if (devicePath.split("/").includes("..")) {
      refuse("devicePath", devicePath, "can not contain backsteps ('..')");
    } else paths.add(devicePath);
    if (volumeMounts.some((mount) => mount.name === name)) {
      refuse("name", name, "must not already exist in volumeMounts");
    }
    if (volumeMounts.some((mount) => mount.mountPath === devicePath)) {
      refuse("devicePath", devicePath, "must not already exist as a path in volumeMounts");
    }
    if (name !== "") names.add(name);
  });
}
