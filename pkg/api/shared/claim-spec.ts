import { addAll } from "../../base/add-all.ts";
import { invalid, invalidEach, notSupported, required } from "../field-error.ts";
import type {
  PersistentVolumeClaimSpec,
  TypedLocalObjectReference,
  TypedObjectReference,
} from "../generated/core-v1.generated.ts";
import { validateLabelSelector } from "../labels.ts";
import { checkDnsLabel, checkDnsSubdomain } from "../names.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import { tryParseQuantity } from "../quantity.ts";
import type { FieldError } from "../resource.ts";
import { validateAccessModes, volumeModes } from "./access-modes.ts";
import { defaultResourceList } from "./pod-spec-defaults.ts";
import { validateAmount, validatePositiveQuantity } from "./resource-names.ts";

/** Fills in what a claim leaves out, in a PersistentVolumeClaim as in a template of claims. */
export function defaultClaimSpec(spec: Draft<PersistentVolumeClaimSpec>): void {
  spec.volumeMode ??= "Filesystem";
  defaultResourceList(spec.resources?.limits);
  defaultResourceList(spec.resources?.requests);
}

/** What is asked of a volume, in a PersistentVolumeClaim as in a template of claims. */
export function validateClaimSpec(
  spec: PersistentVolumeClaimSpec,
  path: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { accessModes = [], storageClassName = "", volumeAttributesClassName = "" } = spec;
  if (accessModes.length === 0) {
    errors.push(required(`${path}.accessModes`, "at least 1 access mode is required"));
  }
  addAll(errors, validateLabelSelector(spec.selector, `${path}.selector`));
  addAll(errors, validateAccessModes(accessModes, `${path}.accessModes`));
  validateStorage(spec.resources?.requests?.["storage"], `${path}.resources[storage]`, errors);
  if (storageClassName !== "") {
    const problems = checkDnsSubdomain(storageClassName);
    addAll(errors, invalidEach(`${path}.storageClassName`, storageClassName, problems));
  }
  if (spec.volumeMode !== undefined && !volumeModes.includes(spec.volumeMode)) {
    errors.push(notSupported(`${path}.volumeMode`, spec.volumeMode, volumeModes));
  }
  validateDataSources(spec, path, errors);
  if (volumeAttributesClassName !== "") {
    const problems = checkDnsSubdomain(volumeAttributesClassName);
    errors.push(
      ...invalidEach(`${path}.volumeAttributesClassName`, volumeAttributesClassName, problems),
    );
  }
  return errors;
}

function validateStorage(amount: string | undefined, path: string, errors: FieldError[]): void {
  if (amount === undefined) {
    errors.push(required(path));
    return;
  }
  const before = errors.length;
  validatePositiveQuantity(amount, path, errors);
  if (errors.length === before) validateAmount("storage", amount, path, errors);
}

function validateDataSources(
  { dataSource, dataSourceRef }: PersistentVolumeClaimSpec,
  path: string,
  errors: FieldError[],
): void {
  if (dataSource !== undefined) validateDataSource(dataSource, `${path}.dataSource`, errors);
  if (dataSourceRef === undefined) return;
  const at = `${path}.dataSourceRef`;
  validateDataSource(dataSourceRef, at, errors);
  const { namespace = "", ...reference } = dataSourceRef;
  if (namespace !== "") {
    addAll(errors, invalidEach(`${at}.namespace`, namespace, checkDnsLabel(namespace)));
  }
  if (dataSource === undefined) return;
  // The field that is meant stands where upstream prints a value.
  const refuse = (detail: string) => errors.push(invalid(path, `${path}.dataSource`, detail));
  if (namespace !== "") refuse("may not be specified when dataSourceRef.namespace is specified");
  else if (!equalJson(dataSource, reference)) refuse("must match dataSourceRef");
}

function validateDataSource(
  { apiGroup = "", kind, name }: TypedLocalObjectReference | TypedObjectReference,
  path: string,
  errors: FieldError[],
): void {
  if (name === "") errors.push(required(`${path}.name`));
  if (kind === "") errors.push(required(`${path}.kind`));
  if (apiGroup === "" && kind !== "PersistentVolumeClaim") {
    errors.push(
      invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"),
    );
  }
  if (apiGroup !== "") {
    addAll(errors, invalidEach(`${path}.apiGroup`, apiGroup, checkDnsSubdomain(apiGroup)));
  }
}

const nanosPerUnit = 1_000_000_000n;

/** There are no parts of bytes: a claim that asks for one is accepted, and told so. */
export function claimSpecWarnings(
  { resources }: PersistentVolumeClaimSpec,
  path: string,
): readonly string[] {
  return (["requests", "limits"] as const).flatMap((list) => {
    const amount = resources?.[list]?.["storage"] ?? "0";
    const quantity = tryParseQuantity(amount);
    if (quantity === undefined || quantity.nanos % nanosPerUnit === 0n) return [];
    return [
      `${path}.resources.${list}[storage]: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`,
    ];
  });
}

/**
 * Makes one of the two fields for where a volume's data come from, which say the same: what is not for the older of
 * the two is dropped from it, and then each is filled in from the other.
 */
export function settleDataSources(
  spec: Draft<PersistentVolumeClaimSpec>,
  previous: PersistentVolumeClaimSpec | undefined,
): void {
  const isNamespaced = (spec.dataSourceRef?.namespace ?? "") !== "";
  // Data of another namespace would need its consent, which is not asked for while that feature is off.
  if (isNamespaced && previous?.dataSourceRef === undefined) delete spec.dataSourceRef;
  const isNew = previous?.dataSource === undefined && previous?.dataSourceRef === undefined;
  if (isNew && spec.dataSourceRef === undefined && !isOldDataSource(spec.dataSource)) {
    delete spec.dataSource;
  }
  if (spec.dataSource !== undefined && spec.dataSourceRef === undefined) {
    spec.dataSourceRef = { ...spec.dataSource };
  } else if (spec.dataSource === undefined && spec.dataSourceRef !== undefined) {
    const { namespace = "", ...reference } = spec.dataSourceRef;
    if (namespace === "") spec.dataSource = reference;
  }
}

function isOldDataSource(source: TypedLocalObjectReference | undefined): boolean {
  const { apiGroup = "", kind } = source ?? {};
  return (
    (kind === "PersistentVolumeClaim" && apiGroup === "") ||
    (kind === "VolumeSnapshot" && apiGroup === "snapshot.storage.k8s.io")
  );
}
