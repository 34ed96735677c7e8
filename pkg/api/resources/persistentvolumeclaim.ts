import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import {
  forbidden,
  immutableDetail,
  invalid,
  invalidEach,
  notSupported,
  required,
} from "../field-error.ts";
import {
  type PersistentVolumeClaim,
  type PersistentVolumeClaimSpec,
  persistentVolumeClaimSchema,
} from "../generated/core-v1.generated.ts";
import { checkQualifiedName } from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import { compareQuantities, type Quantity, tryParseQuantity } from "../quantity.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { printAccessModes } from "../shared/access-modes.ts";
import {
  claimSpecWarnings,
  defaultClaimSpec,
  settleDataSources,
  validateClaimSpec,
} from "../shared/claim-spec.ts";
import { defaultResourceList } from "../shared/pod-spec-defaults.ts";
import {
  isNativeResource,
  validateAmount,
  validateNonNegativeQuantity,
} from "../shared/resource-names.ts";
import { storageClassAnnotation, storageClassOfClaim } from "../shared/storage-class.ts";
import { unifiedDiff } from "../shared/unified-diff.ts";
import { volumeModeColumn } from "../shared/volume-mode-column.ts";

export const persistentVolumeClaimResource = defineResource<PersistentVolumeClaim>({
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  shortNames: ["pvc"],
  scope: "namespace",
  schema: persistentVolumeClaimSchema,
  subresources: { status: true },
  defaults({ spec, status }) {
    defaultClaimSpec(spec);
    if (status === undefined) return;
    status.phase ||= "Pending";
    defaultResourceList(status.capacity);
    defaultResourceList(status.allocatedResources);
  },
  prepareCreate(claim) {
    claim.status = { phase: "Pending" };
    settleDataSources(claim.spec, undefined);
  },
  prepareUpdate({ spec }, previous) {
    settleDataSources(spec, previous.spec);
  },
  validate: ({ spec }) => validateClaimSpec(spec, "spec"),
  validateUpdate,
  validateStatusUpdate,
  warnings: ({ metadata, spec }) => [
    ...(metadata.annotations?.[storageClassAnnotation] === undefined
      ? []
      : [
          `metadata.annotations[${storageClassAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`,
        ]),
    ...claimSpecWarnings(spec, "spec"),
  ],
  columns: [
    nameColumn,
    {
      name: "Status",
      type: "string",
      description: "Whether the claim has its volume.",
      cell: ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined ? (status.phase ?? "") : "Terminating",
    },
    {
      name: "Volume",
      type: "string",
      description: "The volume that the claim has.",
      cell: ({ spec }) => spec.volumeName ?? "",
    },
    {
      name: "Capacity",
      type: "string",
      description: "How large the volume is.",
      cell: ({ spec, status }) =>
        (spec.volumeName ?? "") === "" ? "" : (status.capacity?.["storage"] ?? "0"),
    },
    {
      name: "Access Modes",
      type: "string",
      description: "In how many places, and for what, the volume can be mounted.",
      cell: ({ spec, status }) =>
        (spec.volumeName ?? "") === "" ? "" : printAccessModes(status.accessModes),
    },
    {
      name: "StorageClass",
      type: "string",
      description: "The class that the volume is to be of.",
      cell: (claim) => storageClassOfClaim(claim) ?? "",
    },
    {
      name: "VolumeAttributesClass",
      type: "string",
      description: "The class of attributes that the volume is to have.",
      cell: ({ spec }) => spec.volumeAttributesClassName ?? "<unset>",
    },
    ageColumn,
    volumeModeColumn,
  ],
});

const attributesPath = "spec.volumeAttributesClassName";

function validateUpdate(
  next: PersistentVolumeClaim,
  previous: PersistentVolumeClaim,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  let { storageClassName } = next.spec;
  const before = previous.metadata.annotations?.[storageClassAnnotation];
  if (movesClassToField(next, previous)) {
    storageClassName = undefined;
  } else {
    const annotation = next.metadata.annotations?.[storageClassAnnotation] ?? "";
    if (annotation !== (before ?? "")) {
      errors.push(
        invalid(`metadata.annotations.${storageClassAnnotation}`, annotation, immutableDetail),
      );
    }
    // Who left the choice open may still get a class: the default one, once there is one.
    const mayBeNamed = before === undefined || storageClassName === before;
    if (previous.spec.storageClassName === undefined && mayBeNamed) storageClassName = undefined;
  }
  checkSpec(next, previous, storageClassName, errors);
  checkSize(next, previous, errors);
  if (next.spec.volumeMode !== previous.spec.volumeMode) {
    errors.push(invalid("volumeMode", next.spec.volumeMode, immutableDetail));
  }
  checkAttributesClass(next, previous, errors);
  return errors;
}

/** Whether an update writes into the field the class that the annotation has named so far. */
function movesClassToField(next: PersistentVolumeClaim, previous: PersistentVolumeClaim): boolean {
  const before = previous.metadata.annotations?.[storageClassAnnotation];
  const now = next.metadata.annotations?.[storageClassAnnotation];
  return (
    before !== undefined &&
    previous.spec.storageClassName === undefined &&
    next.spec.storageClassName === before &&
    (now === undefined || now === before)
  );
}

/** All stays as it is but the name of the volume, which is set once, and the size and the attributes of a bound one. */
function checkSpec(
  next: PersistentVolumeClaim,
  previous: PersistentVolumeClaim,
  storageClassName: string | undefined,
  errors: FieldError[],
): void {
  const expected: Record<string, unknown> = { ...previous.spec };
  const compared: Record<string, unknown> = { ...next.spec, storageClassName };
  if ((previous.spec.volumeName ?? "") === "") expected["volumeName"] = next.spec.volumeName;
  if (next.status.phase === "Bound") {
    compared["volumeAttributesClassName"] = previous.spec.volumeAttributesClassName;
    const { requests } = next.spec.resources;
    const storage = previous.spec.resources.requests?.["storage"] ?? "0";
    if (requests !== undefined) {
      compared["resources"] = { ...next.spec.resources, requests: { ...requests, storage } };
    }
  }
  const [before, after] = [expected, compared] as unknown as PersistentVolumeClaimSpec[];
  if (before === undefined || after === undefined) return;
  if (equalJson(asGoSpec(before, exact), asGoSpec(after, exact))) return;
  const texts = [before, after].map((spec) => JSON.stringify(asGoSpec(spec, String), undefined, 1));
  errors.push(
    forbidden(
      "spec",
      `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${unifiedDiff(texts[0] ?? "", texts[1] ?? "")}`,
    ),
  );
}

/** Amounts are the same however they are written. */
function exact(amount: string): string {
  return String(tryParseQuantity(amount)?.nanos ?? amount);
}

/** Upstream compares and prints values of its own type, whose fields have no JSON names and are never left out. */
function asGoSpec(spec: PersistentVolumeClaimSpec, print: (amount: string) => string) {
  const amounts = (list: Readonly<Record<string, string>> | undefined) => {
    const entries = Object.entries(list ?? {}).sort();
    if (entries.length === 0) return null;
    return Object.fromEntries(entries.map(([name, amount]) => [name, print(amount)]));
  };
  const { accessModes = [], dataSource, dataSourceRef } = spec;
  return {
    AccessModes: accessModes.length === 0 ? null : accessModes,
    Selector: spec.selector ?? null,
    Resources: {
      Limits: amounts(spec.resources?.limits),
      Requests: amounts(spec.resources?.requests),
    },
    VolumeName: spec.volumeName ?? "",
    StorageClassName: spec.storageClassName ?? null,
    VolumeMode: spec.volumeMode ?? null,
    DataSource:
      dataSource === undefined
        ? null
        : { APIGroup: dataSource.apiGroup ?? null, Kind: dataSource.kind, Name: dataSource.name },
    DataSourceRef:
      dataSourceRef === undefined
        ? null
        : {
            APIGroup: dataSourceRef.apiGroup ?? null,
            Kind: dataSourceRef.kind,
            Name: dataSourceRef.name,
            Namespace: dataSourceRef.namespace ?? null,
          },
    VolumeAttributesClassName: spec.volumeAttributesClassName ?? null,
  };
}

/** A claim may ask for less only while growing has failed: never for as little as it has already. */
function checkSize(
  next: PersistentVolumeClaim,
  previous: PersistentVolumeClaim,
  errors: FieldError[],
): void {
  const wanted = storageOf(next.spec.resources.requests);
  if (compareQuantities(wanted, storageOf(previous.spec.resources.requests)) >= 0) return;
  if (compareQuantities(wanted, storageOf(previous.status.capacity)) > 0) return;
  errors.push(
    forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"),
  );
}

function storageOf(list: Readonly<Record<string, string>> | undefined): Quantity {
  return tryParseQuantity(list?.["storage"] ?? "0") ?? { nanos: 0n, format: "DecimalSI" };
}

function checkAttributesClass(
  next: PersistentVolumeClaim,
  previous: PersistentVolumeClaim,
  errors: FieldError[],
): void {
  const name = next.spec.volumeAttributesClassName;
  if (name === previous.spec.volumeAttributesClassName) return;
  if (previous.status.currentVolumeAttributesClassName === undefined) return;
  const when = "is forbidden when status.currentVolumeAttributesClassName is not nil";
  if (name === undefined) errors.push(forbidden(attributesPath, `update to nil ${when}`));
  else if (name === "") errors.push(forbidden(attributesPath, `update to empty string ${when}`));
}

const resizeStatuses = [
  "ControllerResizeInProgress",
  "ControllerResizeInfeasible",
  "NodeResizeInProgress",
  "NodeResizeInfeasible",
  "NodeResizePending",
].sort();

function validateStatusUpdate({ spec, status }: PersistentVolumeClaim): readonly FieldError[] {
  const errors: FieldError[] = [];
  if ((spec.accessModes ?? []).length === 0) errors.push(required("Spec.accessModes"));
  for (const [name, amount] of Object.entries(status.capacity ?? {})) {
    validateNonNegativeQuantity(amount, `status.capacity[${name}]`, errors);
  }
  for (const [name, state] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    const path = "status.allocatedResourceStatuses";
    addAll(errors, checkResizable(name, path));
    if (!resizeStatuses.includes(state)) errors.push(notSupported(path, name, resizeStatuses));
  }
  for (const [name, amount] of Object.entries(status.allocatedResources ?? {})) {
    const path = "status.allocatedResources";
    const problems = checkResizable(name, path);
    if (problems.length > 0) addAll(errors, problems);
    else validateAmount("storage", amount, `${path}[${name}]`, errors);
  }
  return errors;
}

/** Of Kubernetes' own resources, a volume has storage alone. */
function checkResizable(name: string, path: string): readonly FieldError[] {
  const errors = invalidEach(path, name, checkQualifiedName(name));
  if (errors.length > 0 || !isNativeResource(name) || name === "storage") return errors;
  return [notSupported(path, name, ["storage"])];
}
