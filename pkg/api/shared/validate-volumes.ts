import { addAll } from "../../base/add-all.ts";
import { duplicate, forbidden, invalid, invalidEach, required } from "../field-error.ts";
import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  ProjectedVolumeSource,
  Volume,
  VolumeProjection,
} from "../generated/core-v1.generated.ts";
import { checkDnsLabel } from "../names.ts";
import { tryParseQuantity } from "../quantity.ts";
import type { FieldError } from "../resource.ts";
import { validateFieldRef, validateResourceFieldRef } from "./validate-container.ts";
import { validateVolumeFilePath } from "./validate-paths.ts";
import { validateHostPath, validateNfs } from "./validate-volume-source.ts";

/** Checks each volume, and returns those that containers may mount, by name. */
export function validateVolumes(
  volumes: readonly Volume[],
  path: string,
  errors: FieldError[],
): ReadonlyMap<string, Volume> {
  const valid = new Map<string, Volume>();
  volumes.forEach((volume, index) => {
    const at = `${path}[${index}]`;
    const before = errors.length;
    validateSource(volume, at, errors);
    if (volume.name === "") errors.push(required(`${at}.name`));
    else addAll(errors, invalidEach(`${at}.name`, volume.name, checkDnsLabel(volume.name)));
    if (valid.has(volume.name)) errors.push(duplicate(`${at}.name`, volume.name));
    if (errors.length === before) valid.set(volume.name, volume);
  });
  return valid;
}

function validateSource(volume: Volume, path: string, errors: FieldError[]): void {
  const [source, ...others] = Object.entries(volume)
    .filter(([key, value]) => key !== "name" && value !== undefined)
    .map(([key]) => key);
  if (source === undefined) {
    errors.push(required(path, "must specify a volume type"));
    return;
  }
  for (const other of others) {
    errors.push(forbidden(`${path}.${other}`, "may not specify more than 1 volume type"));
  }
  const validator = sourceValidators[source];
  validator?.(volume, `${path}.${source}`, errors);
}

type SourceValidator = (volume: Volume, path: string, errors: FieldError[]) => void;

const sourceValidators: Readonly<Record<string, SourceValidator>> = {
  hostPath({ hostPath }, path, errors) {
    if (hostPath !== undefined) validateHostPath(hostPath, path, errors);
  },
  emptyDir({ emptyDir }, path, errors) {
    const limit = emptyDir?.sizeLimit;
    if (limit === undefined) return;
    const quantity = tryParseQuantity(limit);
    if (quantity === undefined || quantity.nanos < 0n) {
      errors.push(
        forbidden(`${path}.sizeLimit`, "SizeLimit field must be a valid resource quantity"),
      );
    }
  },
  secret({ secret }, path, errors) {
    if ((secret?.secretName ?? "") === "") errors.push(required(`${path}.secretName`));
    validateFileMode(secret?.defaultMode, `${path}.defaultMode`, errors);
    validateItems(secret?.items, path, errors);
  },
  configMap({ configMap }, path, errors) {
    if ((configMap?.name ?? "") === "") errors.push(required(`${path}.name`));
    validateFileMode(configMap?.defaultMode, `${path}.defaultMode`, errors);
    validateItems(configMap?.items, path, errors);
  },
  downwardAPI({ downwardAPI }, path, errors) {
    validateFileMode(downwardAPI?.defaultMode, `${path}.defaultMode`, errors);
    for (const file of downwardAPI?.items ?? []) validateDownwardFile(file, path, errors);
  },
  projected({ projected }, path, errors) {
    if (projected !== undefined) validateProjected(projected, path, errors);
  },
  persistentVolumeClaim({ persistentVolumeClaim: claim }, path, errors) {
    if ((claim?.claimName ?? "") === "") errors.push(required(`${path}.claimName`));
  },
  nfs({ nfs }, path, errors) {
    if (nfs !== undefined) validateNfs(nfs, path, errors);
  },
  csi({ csi }, path, errors) {
    if ((csi?.driver ?? "") === "") errors.push(required(`${path}.driver`));
  },
  image({ image }, path, errors) {
    if ((image?.reference ?? "") === "") errors.push(required(`${path}.reference`));
  },
};

const fileModeMax = 0o777;
const fileModeDetail = "must be a number between 0 and 0777 (octal), both inclusive";

function validateFileMode(mode: number | undefined, path: string, errors: FieldError[]): void {
  if (mode !== undefined && (mode < 0 || mode > fileModeMax)) {
    errors.push(invalid(path, mode, fileModeDetail));
  }
}

function validateItems(
  items: readonly KeyToPath[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  (items ?? []).forEach((item, index) => {
    const at = `${path}.items[${index}]`;
    if (item.key === "") errors.push(required(`${at}.key`));
    if (item.path === "") errors.push(required(`${at}.path`));
    else validateVolumeFilePath(item.path, `${at}.path`, errors);
    validateFileMode(item.mode, `${at}.mode`, errors);
  });
}

function validateDownwardFile(
  file: DownwardAPIVolumeFile,
  path: string,
  errors: FieldError[],
): void {
  if (file.path === "") errors.push(required(`${path}.path`));
  else validateVolumeFilePath(file.path, `${path}.path`, errors);
  if (file.fieldRef !== undefined) {
    validateFieldRef(file.fieldRef, "volume", `${path}.fieldRef`, errors);
    if (file.resourceFieldRef !== undefined) {
      errors.push(
        invalid(
          path,
          "resource",
          "fieldRef and resourceFieldRef can not be specified simultaneously",
        ),
      );
    }
  } else if (file.resourceFieldRef !== undefined) {
    validateResourceFieldRef(file.resourceFieldRef, true, `${path}.resourceFieldRef`, errors);
  } else errors.push(required(path, "one of fieldRef and resourceFieldRef is required"));
  validateFileMode(file.mode, `${path}.mode`, errors);
}

function validateProjected(
  projected: ProjectedVolumeSource,
  path: string,
  errors: FieldError[],
): void {
  validateFileMode(projected.defaultMode, `${path}.defaultMode`, errors);
  const paths = new Set<string>();
  const claim = (file: string, owner: string) => {
    if (file === "") return;
    if (paths.has(file)) errors.push(invalid(path, owner, "conflicting duplicate paths"));
    else paths.add(file);
  };
  (projected.sources ?? []).forEach((source, index) => {
    validateProjection(source, `${path}.sources[${index}]`, errors);
    for (const item of source.secret?.items ?? []) claim(item.path, source.secret?.name ?? "");
    for (const item of source.configMap?.items ?? []) {
      claim(item.path, source.configMap?.name ?? "");
    }
    for (const item of source.downwardAPI?.items ?? []) claim(item.path, item.path);
    claim(source.serviceAccountToken?.path ?? "", source.serviceAccountToken?.path ?? "");
  });
}

const tokenSecondsMin = 600;
const tokenSecondsMax = 2 ** 32;

function validateProjection(source: VolumeProjection, path: string, errors: FieldError[]): void {
  const [first, ...others] = Object.keys(source);
  if (first === undefined) {
    errors.push(required(path, "must specify a volume type"));
    return;
  }
  for (const other of others) {
    errors.push(forbidden(`${path}.${other}`, "may not specify more than 1 volume type"));
  }
  if (source.secret !== undefined) {
    if (source.secret.name === "") errors.push(required(`${path}.secret.name`));
    validateItems(source.secret.items, `${path}.secret`, errors);
  }
  if (source.configMap !== undefined) {
    if (source.configMap.name === "") errors.push(required(`${path}.configMap.name`));
    validateItems(source.configMap.items, `${path}.configMap`, errors);
  }
  for (const file of source.downwardAPI?.items ?? []) {
    validateDownwardFile(file, `${path}.downwardAPI`, errors);
  }
  const token = source.serviceAccountToken;
  if (token === undefined) return;
  const at = `${path}.serviceAccountToken`;
  const seconds = token.expirationSeconds;
  if (seconds !== undefined && seconds < tokenSecondsMin) {
    errors.push(
      invalid(
        `${at}.expirationSeconds`,
        seconds,
        "may not specify a duration less than 10 minutes",
      ),
    );
  }
  if (seconds !== undefined && seconds > tokenSecondsMax) {
    errors.push(
      invalid(
        `${at}.expirationSeconds`,
        seconds,
        "may not specify a duration larger than 2^32 seconds",
      ),
    );
  }
  if (token.path === "") errors.push(required(`${at}.path`));
  else validateVolumeFilePath(token.path, `${at}.path`, errors);
}
