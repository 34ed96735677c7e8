import { addAll } from "../../base/add-all.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { invalid, isEnough } from "../field-error.ts";
import { type Namespace, namespaceSchema } from "../generated/core-v1.generated.ts";
import type { Draft } from "../object.ts";
import { defineResource, type FieldError } from "../resource.ts";
import { checkNamespaceFinalizer, kubernetesFinalizer } from "../shared/namespace-finalizer.ts";

export const namespaceResource = defineResource<Namespace>({
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  shortNames: ["ns"],
  scope: "cluster",
  schema: namespaceSchema,
  verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
  nameRule: "dns-label",
  subresources: { status: true },
  defaults: labelWithName,
  prepareCreate(namespace) {
    // A generated name is known only now.
    labelWithName(namespace);
    namespace.status = { phase: "Active" };
    const finalizers = namespace.spec.finalizers ?? [];
    if (!finalizers.includes(kubernetesFinalizer)) finalizers.push(kubernetesFinalizer);
    namespace.spec.finalizers = finalizers;
  },
  prepareUpdate(namespace, previous) {
    // Finalizers change through the `finalize` subresource only.
    if (previous.spec.finalizers === undefined) delete namespace.spec.finalizers;
    else namespace.spec.finalizers = [...previous.spec.finalizers];
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    for (const finalizer of spec.finalizers ?? []) {
      if (isEnough(errors)) break;
      addAll(errors, checkNamespaceFinalizer(finalizer, "spec.finalizers"));
    }
    return errors;
  },
  validateStatusUpdate({ metadata, status }) {
    const isLeaving = metadata.deletionTimestamp !== undefined;
    const phase = isLeaving ? "Terminating" : "Active";
    if (status.phase === phase) return [];
    const when = isLeaving ? "is not empty" : "is empty";
    const detail = `may only be '${phase}' if \`deletionTimestamp\` ${when}`;
    return [invalid("status.Phase", status.phase ?? "", detail)];
  },
  selectableFields: { "status.phase": ({ status }) => status.phase ?? "" },
  columns: [
    nameColumn,
    {
      name: "Status",
      type: "string",
      description: "Active, or Terminating while its content is being deleted.",
      cell: ({ status }) => status.phase ?? "",
    },
    ageColumn,
  ],
});

function labelWithName({ metadata, status }: Draft<Namespace>): void {
  if (metadata.name !== undefined && metadata.name !== "") {
    metadata.labels ??= {};
    metadata.labels["kubernetes.io/metadata.name"] = metadata.name;
  }
  if (status !== undefined) status.phase ||= "Active";
}
