import { draftOf } from "../draft.ts";
import { checkQualifiedName } from "../names.ts";
import type { KubernetesObject } from "../object.ts";
import { copyJsonObject, equalJson, type JsonObject } from "../patch/json-value.ts";
import { defineResource, type FieldError, type ResourceDefinition } from "../resource.ts";
import { applyDefaults, pruneNulls } from "./apply-defaults.ts";
import { conforms } from "./conformance.ts";
import {
  type CustomResourceDefinition,
  type CustomResourceDefinitionVersion,
  schemaOf,
} from "./definition.ts";
import { deprecationWarningOf } from "./deprecation.ts";
import { coerceEmbedded, validateEmbedded } from "./embedded-resource.ts";
import { JsonPathError, parseJsonPath, printJsonPathValue } from "./json-path.ts";
import { type JsonSchema, propertyOf } from "./json-schema.ts";
import { validateUniqueness } from "./list-uniqueness.ts";
import { customObjectSchema } from "./object-schema.ts";
import { customColumns } from "./printer-columns.ts";
import { pruneUnknown } from "./prune-unknown.ts";
import { scaleSpecErrors, scaleStatusErrors, textAt } from "./scale-rules.ts";
import { schemaValidator } from "./schema-validator.ts";

/** Nothing is known of a kind that states no schema: every field goes. */
const nothingKnown: JsonSchema = { type: "object" };
/** As it was before schemas were required: every field stays. */
const anythingGoes: JsonSchema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

/**
 * The served versions of a definition as kinds like any built-in one, under the names that were accepted. What is
 * stored is of the storage version, which may itself not be served.
 */
export function customResources(crd: CustomResourceDefinition): readonly ResourceDefinition[] {
  const forms = formsOf(crd);
  const storage = storageVersionOf(crd);
  if (storage === undefined) return [];
  const stored = define(crd, storage, forms, undefined);
  return crd.spec.versions
    .filter((version) => version.served)
    .map((version) => (version === storage ? stored : define(crd, version, forms, stored)));
}

/** The storage version of a definition as a kind, served or not: by it, whatever is stored is found. */
export function storedCustomResource(
  crd: CustomResourceDefinition,
): ResourceDefinition | undefined {
  const storage = storageVersionOf(crd);
  return storage === undefined ? undefined : define(crd, storage, formsOf(crd), undefined);
}

function storageVersionOf({
  spec,
}: CustomResourceDefinition): CustomResourceDefinitionVersion | undefined {
  return spec.versions.find((version) => version.storage);
}

/** The schema of each version, by its name. */
function formsOf(crd: CustomResourceDefinition): Forms {
  return new Map(crd.spec.versions.map((version) => [version.name, servedSchema(crd, version)]));
}

function servedSchema(
  { spec }: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
): JsonSchema {
  const schema = schemaOf(version);
  if (spec.preserveUnknownFields !== true) return schema ?? nothingKnown;
  return { ...schema, ...anythingGoes };
}

type Forms = ReadonlyMap<string, JsonSchema>;

function define(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  forms: Forms,
  storedAs: ResourceDefinition | undefined,
): ResourceDefinition {
  const { group } = crd.spec;
  const names = crd.status?.acceptedNames ?? crd.spec.names;
  const schema = forms.get(version.name) ?? nothingKnown;
  const { kind, plural } = names;
  const hasStatus = version.subresources?.status !== undefined;
  const scale = version.subresources?.scale;
  const apiVersion = `${group}/${version.name}`;
  const definition = `${group.split(".").reverse().join(".")}.${version.name}.${kind}`;
  const storedVersion = storedAs?.version ?? version.name;
  return defineResource<KubernetesObject>({
    group,
    version: version.name,
    kind,
    listKind: names.listKind ?? `${kind}List`,
    plural,
    singular: names.singular ?? kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    scope: crd.spec.scope === "Namespaced" ? "namespace" : "cluster",
    schema: { name: definition, object: customObjectSchema(definition, kind, schema) },
    subresources: {
      status: hasStatus,
      ...(scale === undefined
        ? {}
        : {
            scale: {
              specReplicas: scale.specReplicasPath,
              statusReplicas: scale.statusReplicasPath,
              labelSelector: (object: KubernetesObject) =>
                scale.labelSelectorPath === undefined
                  ? ""
                  : textAt(object, scale.labelSelectorPath),
            },
          }),
    },
    resetFields: hasStatus ? { "": [["status"]], status: [["metadata"], ["spec"]] } : {},
    columns: customColumns(version.additionalPrinterColumns),
    selectableFields: selectableFieldsOf(version),
    deprecationWarning: deprecationWarningOf(crd.spec, version),
    unconditionalUpdate: false,
    ...strategyOf(version, schema, hasStatus),
    storedAs,
    toStored:
      storedAs === undefined
        ? undefined
        : (object) => inForm(object, `${group}/${storedVersion}`, forms.get(storedVersion)),
    fromStored: (object) => readAs(object, apiVersion, schema, group, forms),
  });
}

/** How the objects of one version behave. */
function strategyOf(
  version: CustomResourceDefinitionVersion,
  schema: JsonSchema,
  hasStatus: boolean,
): Partial<ResourceDefinition> {
  const validator = schemaValidator(schema);
  const scale = version.subresources?.scale;
  const scaleErrors = (object: KubernetesObject): readonly FieldError[] =>
    scale === undefined
      ? []
      : [...scaleSpecErrors(object, scale), ...scaleStatusErrors(object, scale)];
  const uniqueness = (next: KubernetesObject, previous: KubernetesObject) => {
    const errors = validateUniqueness(next, schema);
    return errors.length > 0 && validateUniqueness(previous, schema).length > 0 ? [] : errors;
  };
  return {
    defaults: (draft) => applyDefaults(draft, schema),
    prepareCreate(draft) {
      if (hasStatus) delete (draft as Record<string, unknown>)["status"];
    },
    prepareStatusUpdate(draft, previous) {
      const { managedFields } = draft.metadata;
      draft.metadata = draftOf(previous.metadata);
      if (managedFields === undefined) delete draft.metadata.managedFields;
      else draft.metadata.managedFields = managedFields;
    },
    validateCreate: (object) => [
      ...validator.validate(object),
      ...scaleErrors(object),
      ...validateEmbedded(object, schema, false),
      ...validateUniqueness(object, schema),
    ],
    validateUpdate: (next, previous) => [
      ...validator.validateUpdate(next, previous),
      ...scaleErrors(next),
      ...validateEmbedded(next, schema, false),
      ...uniqueness(next, previous),
    ],
    validateStatusUpdate: (next, previous) => [
      ...statusErrors(schema, next, previous),
      ...(scale === undefined ? [] : scaleStatusErrors(next, scale)),
      ...uniqueness(next, previous),
    ],
    warnings: (object, previous) => finalizerWarnings(object, previous),
    generationChanged: (next, previous) => changedBesides(next, previous, hasStatus),
  };
}

function statusErrors(
  schema: JsonSchema,
  next: KubernetesObject,
  previous: KubernetesObject,
): readonly FieldError[] {
  const status = fieldOf(next, "status");
  const statusSchema = propertyOf(schema, "status");
  if (status === undefined || statusSchema === undefined) return [];
  return schemaValidator(statusSchema).validateUpdate(
    status,
    fieldOf(previous, "status"),
    "status",
  );
}

function fieldOf(object: KubernetesObject, field: string): unknown {
  return (object as unknown as JsonObject)[field];
}

/** Whether anything changed that counts: all but metadata, and the status where that is written by itself. */
function changedBesides(
  next: KubernetesObject,
  previous: KubernetesObject,
  hasStatus: boolean,
): boolean {
  for (const field of new Set([...Object.keys(next), ...Object.keys(previous)])) {
    if (field === "metadata" || (field === "status" && hasStatus)) continue;
    if (!equalJson(fieldOf(next, field), fieldOf(previous, field))) return true;
  }
  return false;
}

// ---- versions ------------------------------------------------------------------

/** An object in the form of another version: of that name, without what that one does not know. */
function inForm(
  object: KubernetesObject,
  apiVersion: string,
  schema: JsonSchema | undefined,
): KubernetesObject {
  if (object.apiVersion !== apiVersion && conforms(object, schema ?? nothingKnown, true)) {
    return { ...object, apiVersion };
  }
  const draft = copyJsonObject(object as unknown as JsonObject);
  draft["apiVersion"] = apiVersion;
  pruneUnknown(draft, schema, true);
  pruneNulls(draft, schema);
  return draft as unknown as KubernetesObject;
}

/** A stored object as a version shows it: completed by the version it was written in, and brought into this one's form. */
function readAs(
  object: KubernetesObject,
  apiVersion: string,
  schema: JsonSchema,
  group: string,
  forms: Forms,
): KubernetesObject {
  const written = forms.get(object.apiVersion.slice(group.length + 1)) ?? schema;
  const complete = conforms(object, written, true) ? object : completed(object, written);
  if (complete.apiVersion === apiVersion) return complete;
  return inForm(complete, apiVersion, schema);
}

function completed(object: KubernetesObject, schema: JsonSchema): KubernetesObject {
  const draft = copyJsonObject(object as unknown as JsonObject);
  pruneUnknown(draft, schema, true);
  pruneNulls(draft, schema);
  coerceEmbedded(draft, schema, { isResource: false, malformed: "dropped" });
  applyDefaults(draft, schema);
  return (equalJson(draft, object) ? object : draft) as unknown as KubernetesObject;
}

// ---- fields, warnings -------------------------------------------------------------

function selectableFieldsOf({
  selectableFields = [],
}: CustomResourceDefinitionVersion): ResourceDefinition["selectableFields"] {
  return Object.fromEntries(
    selectableFields.map(({ jsonPath }) => [jsonPath.replace(/^\./, ""), readField(jsonPath)]),
  );
}

function readField(jsonPath: string): (object: KubernetesObject) => string {
  try {
    const path = parseJsonPath(jsonPath);
    return (object) => printJsonPathValue(path.find(object)[0]);
  } catch (caught) {
    if (caught instanceof JsonPathError) return () => "";
    throw caught;
  }
}

const standardFinalizers: ReadonlySet<string> = new Set([
  "orphan",
  "foregroundDeletion",
  "kubernetes",
]);

function finalizerWarnings(
  { metadata }: KubernetesObject,
  previous: KubernetesObject | undefined,
): readonly string[] {
  const before = new Set(previous?.metadata.finalizers ?? []);
  const added = (metadata.finalizers ?? []).filter((finalizer) => !before.has(finalizer));
  return [...new Set(added)].sort().flatMap((finalizer) => {
    const about = `metadata.finalizers: ${JSON.stringify(finalizer)}`;
    const warnings = checkQualifiedName(finalizer).map((problem) => `${about}: ${problem}`);
    if (finalizer.includes("/") || standardFinalizers.has(finalizer)) return warnings;
    const path = finalizer.includes(".") ? " including a path (/)" : "";
    const advice = `prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`;
    return [...warnings, `${about}: ${advice}`];
  });
}
