import type { Column, FieldError } from "../resource.ts";
import { validateEachNonNegative, validateReplicaCounts } from "./validate-counts.ts";

interface ReplicaStatus {
  readonly replicas: number;
  readonly fullyLabeledReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly terminatingReplicas?: number;
  readonly observedGeneration?: number;
}

interface Replicated {
  readonly spec: { readonly replicas?: number };
  readonly status: ReplicaStatus;
}

/** How many pods a ReplicaSet or ReplicationController wants, has, and has ready. */
export const replicaColumns: readonly Column<Replicated>[] = [
  {
    name: "Desired",
    type: "integer",
    description: "How many pods there should be.",
    cell: ({ spec }) => spec.replicas ?? 0,
  },
  {
    name: "Current",
    type: "integer",
    description: "How many pods there are.",
    cell: ({ status }) => status.replicas,
  },
  {
    name: "Ready",
    type: "integer",
    description: "How many of the pods are ready.",
    cell: ({ status }) => status.readyReplicas ?? 0,
  },
];

/** The counts of a ReplicaSet's or ReplicationController's status are none below zero, and agree with each other. */
export function validateReplicaStatus({
  status,
}: {
  readonly status: ReplicaStatus;
}): readonly FieldError[] {
  const errors: FieldError[] = [];
  validateEachNonNegative(
    status,
    [
      "replicas",
      "fullyLabeledReplicas",
      "readyReplicas",
      "availableReplicas",
      "observedGeneration",
      "terminatingReplicas",
    ],
    "status",
    errors,
  );
  const limited = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"] as const;
  validateReplicaCounts(status, limited, "readyReplicas", errors);
  return errors;
}
