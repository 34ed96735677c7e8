import { addAll } from "../../base/add-all.ts";
import { forbidden, invalidEach, notSupported, required } from "../field-error.ts";
import type { PersistentVolumeSpec } from "../generated/core-v1.generated.ts";
import { checkDnsSubdomain } from "../names.ts";
import type { FieldError } from "../resource.ts";
import { validateAccessModes, volumeModes } from "./access-modes.ts";
import { validateNonNegativeQuantity, validatePositiveQuantity } from "./resource-names.ts";
import { validateNodeSelector } from "./validate-scheduling.ts";
import { validateVolumeSource } from "./validate-volume-source.ts";

/** A volume by itself, of a PersistentVolume with its name; or inline, within a VolumeAttachment. */
export type VolumePlace = { readonly inline: true } | { readonly inline: false; name: string };

const inlineDetail = "may not be specified in the context of inline volumes";
const reclaimPolicies = ["Delete", "Recycle", "Retain"];

export function validateVolumeSpec(
  spec: PersistentVolumeSpec,
  place: VolumePlace,
  path: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (place.inline) validateInline(spec, path, errors);
  if ((spec.accessModes ?? []).length === 0) errors.push(required(`${path}.accessModes`));
  addAll(errors, validateAccessModes(spec.accessModes ?? [], `${path}.accessModes`));
  if (!place.inline) validateCapacity(spec.capacity ?? {}, `${path}.capacity`, errors);
  validateReclaimPolicy(spec, place, path, errors);
  validateAffinity(spec, place, `${path}.nodeAffinity`, errors);
  validateVolumeSource(spec, path, place.inline ? "" : place.name, errors);
  validateNeeds(spec, path, errors);
  validateClass(spec, place, path, errors);
  validateMode(spec, place, `${path}.volumeMode`, errors);
  if (!place.inline) validateAttributesClass(spec, path, errors);
  return errors;
}

function validateInline(spec: PersistentVolumeSpec, path: string, errors: FieldError[]): void {
  if (spec.claimRef !== undefined) errors.push(forbidden(`${path}.claimRef`, inlineDetail));
  if (Object.keys(spec.capacity ?? {}).length > 0) {
    errors.push(forbidden(`${path}.capacity`, inlineDetail));
  }
  if (spec.csi === undefined) {
    errors.push(required(`${path}.csi`, "has to be specified in the context of inline volumes"));
  }
}

function validateCapacity(
  capacity: Readonly<Record<string, string>>,
  path: string,
  errors: FieldError[],
): void {
  const names = Object.keys(capacity);
  if (names.length === 0) errors.push(required(path));
  if (capacity["storage"] === undefined || names.length > 1) {
    errors.push(notSupported(path, names.length === 0 ? null : capacity, ["storage"]));
  }
  for (const [name, amount] of Object.entries(capacity)) {
    validateNonNegativeQuantity(amount, `${path}[${name}]`, errors);
    validatePositiveQuantity(amount, `${path}[${name}]`, errors);
  }
}

function validateReclaimPolicy(
  { persistentVolumeReclaimPolicy }: PersistentVolumeSpec,
  place: VolumePlace,
  path: string,
  errors: FieldError[],
): void {
  const policy: string = persistentVolumeReclaimPolicy ?? "";
  if (policy === "") return;
  const at = `${path}.persistentVolumeReclaimPolicy`;
  if (!place.inline) {
    if (!reclaimPolicies.includes(policy)) errors.push(notSupported(at, policy, reclaimPolicies));
  } else if (policy !== "Retain") {
    errors.push(forbidden(at, "may only be Retain in the context of inline volumes"));
  }
}

function validateAffinity(
  { nodeAffinity }: PersistentVolumeSpec,
  place: VolumePlace,
  path: string,
  errors: FieldError[],
): void {
  if (nodeAffinity === undefined) return;
  if (place.inline) errors.push(forbidden(path, inlineDetail));
  else if (nodeAffinity.required === undefined) {
    errors.push(required(`${path}.required`, "must specify required node constraints"));
  } else validateNodeSelector(nodeAffinity.required, `${path}.required`, errors);
}

/** What one source of data asks of the rest. */
function validateNeeds(spec: PersistentVolumeSpec, path: string, errors: FieldError[]): void {
  if (spec.local !== undefined && spec.nodeAffinity === undefined) {
    errors.push(required(`${path}.nodeAffinity`, "Local volume requires node affinity"));
  }
  if (isRoot(spec.hostPath?.path ?? "") && spec.persistentVolumeReclaimPolicy === "Recycle") {
    errors.push(
      forbidden(
        `${path}.persistentVolumeReclaimPolicy`,
        "may not be 'recycle' for a hostPath mount of '/'",
      ),
    );
  }
}

function isRoot(path: string): boolean {
  return path.startsWith("/") && path.split("/").every((part) => part === "" || part === ".");
}

function validateClass(
  { storageClassName = "" }: PersistentVolumeSpec,
  place: VolumePlace,
  path: string,
  errors: FieldError[],
): void {
  if (storageClassName === "") return;
  const at = `${path}.storageClassName`;
  if (place.inline) errors.push(forbidden(at, inlineDetail));
  else addAll(errors, invalidEach(at, storageClassName, checkDnsSubdomain(storageClassName)));
}

function validateMode(
  { volumeMode }: PersistentVolumeSpec,
  place: VolumePlace,
  path: string,
  errors: FieldError[],
): void {
  if (volumeMode === undefined) return;
  if (!place.inline) {
    if (!volumeModes.includes(volumeMode)) errors.push(notSupported(path, volumeMode, volumeModes));
  } else if (volumeMode !== "Filesystem") {
    errors.push(
      forbidden(
        path,
        "may not specify volumeMode other than Filesystem in the context of inline volumes",
      ),
    );
  }
}

function validateAttributesClass(
  { volumeAttributesClassName: name, csi }: PersistentVolumeSpec,
  path: string,
  errors: FieldError[],
): void {
  if (name === undefined) return;
  const at = `${path}.volumeAttributesClassName`;
  if (name === "") errors.push(required(at, "an empty string is disallowed"));
  else addAll(errors, invalidEach(at, name, checkDnsSubdomain(name)));
  if (csi === undefined) {
    errors.push(
      required(`${path}.csi`, "has to be specified when using volumeAttributesClassName"),
    );
  }
}
