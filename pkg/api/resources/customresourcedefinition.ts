import { createdAtColumn, nameColumn } from "../columns.ts";
import { withCondition } from "../conditions.ts";
import {
  type CustomResourceDefinition,
  customResourceCleanupFinalizer,
  type DefinitionCondition,
} from "../custom/definition.ts";
import {
  validateDefinition,
  validateDefinitionStatus,
  validateDefinitionUpdate,
} from "../custom/definition-rules.ts";
import { unrecognizedFormats } from "../custom/formats.ts";
import { normalizeSchema } from "../custom/normalize-schema.ts";
import { kubernetesSchema } from "../kubernetes-schema.ts";
import type { Draft } from "../object.ts";
import { equalJson } from "../patch/json-value.ts";
import { defineResource } from "../resource.ts";
import { formatTime } from "../time.ts";

export const customResourceDefinitionResource = defineResource<CustomResourceDefinition>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  scope: "cluster",
  schema: kubernetesSchema(
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
  ),
  subresources: { status: true },
  unconditionalUpdate: false,
  defaults(draft) {
    draft.spec.versions ??= [];
    for (const version of draft.spec.versions) normalizeSchema(version);
    const { names } = draft.spec;
    if ((names.singular ?? "") === "") names.singular = names.kind.toLowerCase();
    if ((names.listKind ?? "") === "" && names.kind !== "") names.listKind = `${names.kind}List`;
    draft.spec.conversion ??= { strategy: "None" };
    const service = draft.spec.conversion.webhook?.clientConfig?.service;
    if (service !== undefined) service.port ??= 443;
    if ((draft.status?.storedVersions ?? []).length === 0) {
      draft.status = { ...draft.status };
      rememberStorageVersion(draft);
    }
  },
  prepareCreate(draft) {
    draft.status = { conditions: [], acceptedNames: { plural: "", kind: "" } };
    rememberStorageVersion(draft);
  },
  prepareUpdate: rememberStorageVersion,
  prepareDelete(draft, nowMs) {
    const { metadata } = draft;
    const finalizers = metadata.finalizers ?? [];
    if (!finalizers.includes(customResourceCleanupFinalizer)) {
      metadata.finalizers = [...finalizers, customResourceCleanupFinalizer];
    }
    const conditions = withCondition<DefinitionCondition>(draft.status?.conditions, {
      type: "Terminating",
      status: "True",
      lastTransitionTime: formatTime(nowMs),
      reason: "InstanceDeletionPending",
      message:
        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
    });
    draft.status = { ...draft.status, conditions: [...conditions] };
  },
  validateCreate: validateDefinition,
  validateUpdate: validateDefinitionUpdate,
  validateStatusUpdate: validateDefinitionStatus,
  warnings(crd, previous) {
    const before = new Set(previous === undefined ? [] : unrecognizedFormats(previous));
    return unrecognizedFormats(crd).filter((warning) => !before.has(warning));
  },
  generationChanged: (next, previous) => !equalJson(next.spec, previous.spec),
  columns: [nameColumn, createdAtColumn],
});

/** A version that objects may lie in is not forgotten by itself. */
function rememberStorageVersion(draft: Draft<CustomResourceDefinition>): void {
  const storage = draft.spec.versions.find((version) => version.storage);
  draft.status ??= {};
  const stored = draft.status.storedVersions ?? [];
  if (storage === undefined || stored.includes(storage.name)) return;
  draft.status.storedVersions = [...stored, storage.name];
}
