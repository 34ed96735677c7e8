import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import {
  duplicate,
  immutableDetail,
  invalid,
  invalidEach,
  isEnough,
  notSupported,
  required,
} from "../field-error.ts";
import type {
  TopologySelectorLabelRequirement,
  TopologySelectorTerm,
} from "../generated/core-v1.generated.ts";
import { type StorageClass, storageClassSchema } from "../generated/storage-v1.generated.ts";
import { checkQualifiedName } from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { deprecatedNodeLabel } from "../shared/deprecated-node-labels.ts";
import { validateProvisioner, validateProvisionerParameters } from "../shared/provisioner.ts";
import { isDefaultStorageClass } from "../shared/storage-class.ts";

export const storageClassResource = defineResource<StorageClass>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  plural: "storageclasses",
  shortNames: ["sc"],
  scope: "cluster",
  schema: storageClassSchema,
  defaults(storageClass) {
    storageClass.reclaimPolicy ??= "Delete";
    storageClass.volumeBindingMode ??= "Immediate";
  },
  validate,
  validateUpdate: (next, previous) =>
    (["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] as const)
      .filter((field) => !equalJson(next[field], previous[field]))
      .map((field) => invalid(field, next[field] ?? null, immutableDetail)),
  warnings: ({ allowedTopologies }) =>
    (allowedTopologies ?? []).flatMap(({ matchLabelExpressions }, term) =>
      (matchLabelExpressions ?? []).flatMap(({ key }, index) => {
        const reason = deprecatedNodeLabel(key);
        if (reason === undefined) return [];
        return [`allowedTopologies[${term}].matchLabelExpressions[${index}].key: ${reason}`];
      }),
    ),
  columns: [
    {
      ...nameColumn,
      cell: ({ metadata }) =>
        isDefaultStorageClass(metadata) ? `${metadata.name} (default)` : metadata.name,
    },
    {
      name: "Provisioner",
      type: "string",
      description: "What makes volumes of this class.",
      cell: ({ provisioner }) => provisioner,
    },
    {
      name: "ReclaimPolicy",
      type: "string",
      description: "What becomes of a volume whose claim is gone.",
      cell: ({ reclaimPolicy }) => reclaimPolicy ?? "Delete",
    },
    {
      name: "VolumeBindingMode",
      type: "string",
      description: "When a claim gets its volume.",
      cell: ({ volumeBindingMode }) => volumeBindingMode ?? "Immediate",
    },
    {
      name: "AllowVolumeExpansion",
      type: "string",
      description: "Whether claims may ask for more later.",
      cell: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    },
    ageColumn,
  ],
});

const reclaimPolicies = ["Delete", "Retain"];
const bindingModes = ["Immediate", "WaitForFirstConsumer"];

function validate(storageClass: StorageClass): readonly FieldError[] {
  const { provisioner, parameters, reclaimPolicy, volumeBindingMode } = storageClass;
  const errors: FieldError[] = [
    ...validateProvisioner(provisioner, "provisioner"),
    ...validateProvisionerParameters(parameters, "parameters"),
  ];
  const policy = reclaimPolicy as string | undefined;
  if (policy !== undefined && policy !== "" && !reclaimPolicies.includes(policy)) {
    errors.push(notSupported("reclaimPolicy", policy, reclaimPolicies));
  }
  if (volumeBindingMode === undefined) errors.push(required("volumeBindingMode"));
  else if (!bindingModes.includes(volumeBindingMode)) {
    errors.push(notSupported("volumeBindingMode", volumeBindingMode, bindingModes));
  }
  validateTopologies(storageClass.allowedTopologies ?? [], errors);
  return errors;
}

function validateTopologies(terms: readonly TopologySelectorTerm[], errors: FieldError[]): void {
  // A term that asks for nothing is refused as if it had been there before, as upstream has it.
  const seen = new Set(["[]"]);
  terms.forEach(({ matchLabelExpressions = [] }, index) => {
    if (isEnough(errors)) return;
    const path = `allowedTopologies[${index}].matchLabelExpressions`;
    const term = new Map<string, readonly string[]>();
    matchLabelExpressions.forEach((requirement, at) => {
      validateRequirement(requirement, `${path}[${at}]`, errors);
      if (term.has(requirement.key)) errors.push(duplicate(`${path}[${at}].key`, requirement.key));
      term.set(requirement.key, [...new Set(requirement.values ?? [])].sort());
    });
    const identity = JSON.stringify([...term].sort());
    if (seen.has(identity)) errors.push(duplicate(path, ""));
    seen.add(identity);
  });
}

function validateRequirement(
  { key, values = [] }: TopologySelectorLabelRequirement,
  path: string,
  errors: FieldError[],
): void {
  if (values.length === 0) errors.push(required(`${path}.values`));
  const seen = new Set<string>();
  values.forEach((value, index) => {
    if (seen.has(value) && !isEnough(errors))
      errors.push(duplicate(`${path}.values[${index}]`, value));
    seen.add(value);
  });
  addAll(errors, invalidEach(`${path}.key`, key, checkQualifiedName(key)));
}
