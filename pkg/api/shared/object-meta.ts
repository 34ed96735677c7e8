import { addAll } from "../../base/add-all.ts";
import {
  forbidden,
  immutableDetail,
  invalid,
  invalidEach,
  notSupported,
  required,
  tooLong,
} from "../field-error.ts";
import type { OwnerReference } from "../generated/meta-v1.generated.ts";
import { validateLabels } from "../labels.ts";
import { checkDnsLabel, checkQualifiedName, nameChecks } from "../names.ts";
import type { ObjectMeta } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import type { FieldError, ResourceDefinition } from "../resource.ts";
import { fieldManagerErrors } from "./field-manager.ts";

const annotationsBytesMax = 256 * 1024;

/** Set by a delete that lets the dependents live. */
export const orphanFinalizer = "orphan";
/** Set by a delete that waits for the dependents. */
export const foregroundFinalizer = "foregroundDeletion";

type NamingRules = Pick<ResourceDefinition, "scope" | "nameRule">;

/**
 * What is wrong with the metadata of any object, whatever its kind. Names have been generated before. `at` is where
 * the metadata stands.
 */
export function validateObjectMeta(
  meta: ObjectMeta,
  resource: NamingRules,
  at = "metadata",
): FieldError[] {
  const errors: FieldError[] = [];
  const checkName = nameChecks[resource.nameRule];
  if (meta.generateName !== undefined && meta.generateName !== "") {
    // A prefix may end where a whole name may not.
    const asName = meta.generateName.replace(/-$/, "a");
    addAll(errors, invalidEach(`${at}.generateName`, meta.generateName, checkName(asName)));
  }
  if (meta.name === undefined || meta.name === "") {
    errors.push(required(`${at}.name`, "name or generateName is required"));
  } else {
    addAll(errors, invalidEach(`${at}.name`, meta.name, checkName(meta.name)));
  }
  if (resource.scope === "namespace") {
    if (meta.namespace === undefined || meta.namespace === "") {
      errors.push(required(`${at}.namespace`));
    } else {
      addAll(errors, invalidEach(`${at}.namespace`, meta.namespace, checkDnsLabel(meta.namespace)));
    }
  } else if (meta.namespace !== undefined && meta.namespace !== "") {
    errors.push(forbidden(`${at}.namespace`, "not allowed on this type"));
  }
  if (meta.labels !== undefined) addAll(errors, validateLabels(meta.labels, `${at}.labels`));
  if (meta.annotations !== undefined)
    addAll(errors, validateAnnotations(meta.annotations, `${at}.annotations`));
  if (meta.ownerReferences !== undefined) {
    addAll(errors, validateOwnerReferences(meta.ownerReferences, `${at}.ownerReferences`));
  }
  if (meta.finalizers !== undefined)
    addAll(errors, validateFinalizers(meta.finalizers, `${at}.finalizers`));
  if (meta.managedFields !== undefined)
    addAll(errors, validateManagedFields(meta.managedFields, `${at}.managedFields`));
  return errors;
}

function validateAnnotations(
  annotations: Readonly<Record<string, string>>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    addAll(errors, invalidEach(path, key, checkQualifiedName(key.toLowerCase())));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > annotationsBytesMax) errors.push(tooLong(path, annotationsBytesMax));
  return errors;
}

function validateOwnerReferences(
  references: readonly OwnerReference[],
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let controller: string | undefined;
  references.forEach((reference, index) => {
    const at = `${path}[${index}]`;
    const [group, version, ...more] = (reference.apiVersion ?? "").split("/");
    if (!reference.apiVersion) errors.push(required(`${at}.apiVersion`, "must not be empty"));
    else if (more.length > 0 || (version === "" && group !== "")) {
      const detail = "must be <group>/<version> or <version>";
      errors.push(invalid(`${at}.apiVersion`, reference.apiVersion, detail));
    }
    if (!reference.kind) errors.push(required(`${at}.kind`, "must not be empty"));
    if (!reference.name) errors.push(required(`${at}.name`, "must not be empty"));
    if (!reference.uid) errors.push(required(`${at}.uid`, "must not be empty"));
    if (reference.apiVersion === "v1" && reference.kind === "Event") {
      errors.push(invalid(at, reference, "/v1, Kind=Event is disallowed from being an owner"));
    }
    if (reference.controller !== true) return;
    const name = `${reference.kind}/${reference.name}`;
    if (controller === undefined) controller = name;
    else {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`;
      errors.push(invalid(path, references, detail));
    }
  });
  return errors;
}

function validateFinalizers(finalizers: readonly string[], path: string): FieldError[] {
  const errors = finalizers.flatMap((finalizer) =>
    invalidEach(path, finalizer, checkQualifiedName(finalizer)),
  );
  if (finalizers.includes(orphanFinalizer) && finalizers.includes(foregroundFinalizer)) {
    const detail = `finalizer ${orphanFinalizer} and ${foregroundFinalizer} cannot be both set`;
    errors.push(invalid(path, finalizers, detail));
  }
  return errors;
}

const subresourceBytesMax = 256;

function validateManagedFields(
  entries: NonNullable<ObjectMeta["managedFields"]>,
  path: string,
): FieldError[] {
  return entries.flatMap((entry, index) => {
    const at = `${path}[${index}]`;
    const errors: FieldError[] = [];
    if (!entry.operation) errors.push(required(`${at}.operation`, "must not be empty"));
    else if (entry.operation !== "Apply" && entry.operation !== "Update") {
      errors.push(notSupported(`${at}.operation`, entry.operation, ["Apply", "Update"]));
    }
    if (
      entry.fieldsType !== undefined &&
      entry.fieldsType !== "" &&
      entry.fieldsType !== "FieldsV1"
    ) {
      errors.push(invalid(`${at}.fieldsType`, entry.fieldsType, "must be `FieldsV1`"));
    }
    for (const error of fieldManagerErrors(entry.manager ?? "")) {
      errors.push({ ...error, path: `${at}.manager` });
    }
    if ((entry.subresource ?? "").length > subresourceBytesMax) {
      errors.push(tooLong(`${at}.subresource`, subresourceBytesMax));
    }
    return errors;
  });
}

/** What an update may not do to the metadata of any object. */
export function validateObjectMetaUpdate(next: ObjectMeta, previous: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  if (previous.deletionTimestamp !== undefined) {
    const before = new Set(previous.finalizers ?? []);
    const added = (next.finalizers ?? []).filter((finalizer) => !before.has(finalizer)).sort();
    if (added.length > 0) {
      const shown = added.map((finalizer) => JSON.stringify(finalizer)).join(", ");
      errors.push(
        forbidden(
          "metadata.finalizers",
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${shown}}`,
        ),
      );
    }
  }
  for (const field of immutableMeta) {
    if (!equalJson(next[field], previous[field])) {
      errors.push(invalid(`metadata.${field}`, next[field], immutableDetail));
    }
  }
  return errors;
}

const immutableMeta = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
] as const;
