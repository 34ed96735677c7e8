import { ageColumn, nameColumn } from "../columns.ts";
import { invalid } from "../field-error.ts";
import { type Lease, leaseSchema } from "../generated/coordination-v1.generated.ts";
import { defineResource, type FieldError } from "../resource.ts";

export const leaseResource = defineResource<Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  scope: "namespace",
  schema: leaseSchema,
  // Renewed every few seconds by every node, and worth nothing after a restart.
  durability: ({ metadata }) => (metadata.namespace === "kube-node-lease" ? "at-close" : "lazy"),
  // Belongs to a feature that Kubernetes has switched off.
  prepareCreate({ spec }) {
    delete spec.strategy;
    delete spec.preferredHolder;
  },
  prepareUpdate({ spec }, { spec: before }) {
    if (before.strategy === undefined) delete spec.strategy;
    if (before.preferredHolder === undefined) delete spec.preferredHolder;
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    const { leaseDurationSeconds: duration, leaseTransitions: transitions } = spec;
    if (duration !== undefined && duration <= 0) {
      errors.push(invalid("spec.leaseDurationSeconds", duration, "must be greater than 0"));
    }
    if (transitions !== undefined && transitions < 0) {
      errors.push(
        invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0"),
      );
    }
    return errors;
  },
  columns: [
    nameColumn,
    {
      name: "Holder",
      type: "string",
      description: "Who holds the lease.",
      cell: ({ spec }) => spec.holderIdentity ?? "",
    },
    ageColumn,
  ],
});
