import { nameColumn } from "../columns.ts";
import { immutableDetail, invalid, invalidEach } from "../field-error.ts";
import {
  type CSIStorageCapacity,
  csiStorageCapacitySchema,
} from "../generated/storage-v1.generated.ts";
import { validateLabelSelector } from "../labels.ts";
import { checkDnsSubdomain } from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { deprecatedNodeLabel } from "../shared/deprecated-node-labels.ts";
import { validateNonNegativeQuantity } from "../shared/resource-names.ts";

export const csiStorageCapacityResource = defineResource<CSIStorageCapacity>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIStorageCapacity",
  plural: "csistoragecapacities",
  scope: "namespace",
  schema: csiStorageCapacitySchema,
  validate({ nodeTopology, storageClassName, capacity }) {
    const errors: FieldError[] = [
      ...validateLabelSelector(nodeTopology, "nodeTopology"),
      ...invalidEach("storageClassName", storageClassName, checkDnsSubdomain(storageClassName)),
    ];
    if (capacity !== undefined) validateNonNegativeQuantity(capacity, "capacity", errors);
    return errors;
  },
  validateUpdate: (next, previous) =>
    (["nodeTopology", "storageClassName"] as const)
      .filter((field) => !equalJson(next[field], previous[field]))
      .map((field) => invalid(field, next[field] ?? null, immutableDetail)),
  warnings,
  columns: [
    nameColumn,
    {
      name: "StorageClassName",
      type: "string",
      description: "The class that there is room for.",
      cell: ({ storageClassName }) => storageClassName,
    },
    {
      name: "Capacity",
      type: "string",
      description: "How much room there is.",
      cell: ({ capacity }) => capacity ?? "<unset>",
    },
  ],
});

function warnings({ nodeTopology }: CSIStorageCapacity): readonly string[] {
  const found: string[] = [];
  (nodeTopology?.matchExpressions ?? []).forEach(({ key }, index) => {
    const reason = deprecatedNodeLabel(key);
    if (reason === undefined) return;
    found.push(`nodeTopology.matchExpressions[${index}].key: ${key} is ${reason}`);
  });
  for (const label of Object.keys(nodeTopology?.matchLabels ?? {})) {
    const reason = deprecatedNodeLabel(label);
    if (reason !== undefined) found.push(`nodeTopology.matchLabels.${label}: ${reason}`);
  }
  return found;
}
