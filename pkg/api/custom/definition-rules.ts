import { addAll } from "../../base/add-all.ts";
import { isConditionTrue } from "../conditions.ts";
import {
  duplicate,
  forbidden,
  immutableDetail,
  invalid,
  notSupported,
  required,
  tooMany,
} from "../field-error.ts";
import { checkDns1035Label, checkDnsSubdomain } from "../names.ts";
import { equalJson } from "../patch/json-value.ts";
import type { FieldError } from "../resource.ts";
import { apiApprovalOf, apiApprovedAnnotation, isProtectedGroup } from "./api-approval.ts";
import { defaultErrors } from "./default-rules.ts";
import {
  type CustomResourceDefinition,
  type CustomResourceDefinitionNames,
  type CustomResourceDefinitionSpec,
  type CustomResourceDefinitionVersion,
  type CustomResourceSubresources,
  type PrinterColumn,
  type SelectableField,
  schemaOf,
} from "./definition.ts";
import { type HoistedSpec, hoistedSpec, type SchemaHolder } from "./hoisted-spec.ts";
import { hasDefault, type JsonSchema, someSchema } from "./json-schema.ts";
import {
  hasNonAtomicSet,
  jsonTypes,
  keyErrors,
  type SchemaRuleOptions,
  schemaErrors,
} from "./schema-rules.ts";
import { selectablePath } from "./selectable-path.ts";
import { structuralErrors } from "./structural-rules.ts";
import { unsupportedConversion, unsupportedSchemaRules } from "./unsupported-rules.ts";

/** Which rules hold: what was stored before one came is let be. */
interface Rules extends SchemaRuleOptions {
  readonly requireSchema: boolean;
  readonly requireStructural: boolean;
  readonly requirePrunedDefaults: boolean;
  /** Versions ("" is what all have in common) whose selectable fields were too many before. */
  readonly tooManySelectable: ReadonlySet<string>;
}

const strictest: Rules = {
  requireSchema: true,
  requireStructural: true,
  requirePrunedDefaults: true,
  requireValidTypes: true,
  requireAtomicSets: true,
  requireUsableKeys: true,
  tooManySelectable: new Set(),
};

/** What is wrong with a new definition. */
export function validateDefinition(crd: CustomResourceDefinition): readonly FieldError[] {
  const { spec, metadata } = crd;
  const errors: FieldError[] = [];
  if (metadata.name !== `${spec.names.plural}.${spec.group}`) {
    errors.push(
      invalid("metadata.name", metadata.name, 'must be spec.names.plural+"."+spec.group'),
    );
  }
  addAll(errors, specErrors(spec, strictest));
  addAll(errors, statusErrors(crd));
  addAll(errors, storedVersionErrors(crd));
  addAll(errors, approvalErrors(crd, undefined));
  addAll(errors, preserveErrors(spec, undefined));
  return errors;
}

/** What is wrong with a definition that replaces `previous`. */
export function validateDefinitionUpdate(
  crd: CustomResourceDefinition,
  previous: CustomResourceDefinition,
): readonly FieldError[] {
  const { spec } = crd;
  const before = previous.spec;
  // What an earlier state excuses is only looked up where something is to be excused.
  const strict = specErrors(spec, strictest);
  const errors = [...(strict.length === 0 ? strict : specErrors(spec, rulesAfter(crd, previous)))];
  const immutable = (path: string, next: unknown, old: unknown) => {
    if (!equalJson(next ?? null, old ?? null)) errors.push(invalid(path, next, immutableDetail));
  };
  if (isConditionTrue(previous.status?.conditions, "Established")) {
    immutable("spec.scope", spec.scope, before.scope);
    immutable("spec.names.kind", spec.names.kind, before.names.kind);
  }
  immutable("spec.group", spec.group, before.group);
  immutable("spec.names.plural", spec.names.plural, before.names.plural);
  addAll(errors, statusErrors(crd));
  addAll(errors, storedVersionErrors(crd));
  addAll(errors, approvalErrors(crd, previous));
  addAll(errors, preserveErrors(spec, before));
  return errors;
}

export function validateDefinitionStatus(crd: CustomResourceDefinition): readonly FieldError[] {
  return statusErrors(crd);
}

// ---- what an earlier state excuses ---------------------------------------------

function rulesAfter(next: CustomResourceDefinition, { spec }: CustomResourceDefinition): Rules {
  const schemas = spec.versions.map(schemaOf);
  const some = (test: (schema: JsonSchema) => boolean) =>
    schemas.some((schema) => someSchema(schema, test));
  return {
    requireSchema: schemas.every((schema) => schema !== undefined),
    requireStructural: schemas.every(
      (schema) => schema === undefined || structuralErrors(schema, "").length === 0,
    ),
    requirePrunedDefaults: !schemas.some(hasUnprunedDefaults),
    requireValidTypes: !some(({ type }) => (type ?? "") !== "" && !jsonTypes.includes(type ?? "")),
    requireAtomicSets: !some(hasNonAtomicSet),
    requireUsableKeys: !some((schema) => keyErrors(schema, "").length > 0),
    tooManySelectable: selectableAsBefore(hoistedSpec(next.spec), hoistedSpec(spec)),
  };
}

function hasUnprunedDefaults(schema: JsonSchema | undefined): boolean {
  if (schema === undefined || !someSchema(schema, hasDefault)) return false;
  if (structuralErrors(schema, "").length > 0) return false;
  const strict = defaultErrors(schema, "", true);
  return strict.length > defaultErrors(schema, "", false).length;
}

const selectableFieldsMax = 8;

function selectableAsBefore(next: HoistedSpec, previous: HoistedSpec): ReadonlySet<string> {
  const kept = new Set<string>();
  const isKept = (
    now: readonly SelectableField[] | undefined,
    old: readonly SelectableField[] | undefined,
  ) => (old ?? []).length > selectableFieldsMax && equalJson(now, old);
  if (isKept(next.selectableFields, previous.selectableFields)) kept.add("");
  for (const { name, selectableFields } of next.versions) {
    const old = previous.versions.find((version) => version.name === name);
    if (isKept(selectableFields, old?.selectableFields)) kept.add(name);
  }
  return kept;
}

// ---- spec ----------------------------------------------------------------------

function specErrors(given: CustomResourceDefinitionSpec, before: Rules): readonly FieldError[] {
  const spec = hoistedSpec(given);
  const rules = rulesFor(spec, given, before);
  const errors: FieldError[] = [...groupErrors(spec.group)];
  addAll(errors, enumErrors("spec.scope", spec.scope, ["Cluster", "Namespaced"]));
  addAll(errors, missingSchemaErrors(spec, rules));
  const hasDefaults = given.versions.some((each) => someSchema(schemaOf(each), hasDefault));
  if (hasDefaults && spec.preserveUnknownFields === true) {
    const detail = "must be false in order to use defaults in the schema";
    errors.push(invalid("spec.preserveUnknownFields", true, detail));
  }
  spec.versions.forEach((version, index) => {
    addAll(errors, versionErrors(spec, version, `spec.versions[${index}]`, rules));
  });
  addAll(errors, versionListErrors(spec));
  addAll(errors, requiredNameErrors(spec.names));
  addAll(errors, nameErrors(spec.names, "spec.names"));
  const hasStatus =
    spec.subresources?.status !== undefined ||
    spec.versions.some(({ subresources }) => subresources?.status !== undefined);
  addAll(errors, schemaHolderErrors(spec.validation, hasStatus, "spec.validation", rules));
  addAll(errors, subresourceErrors(spec.subresources, "spec.subresources"));
  spec.additionalPrinterColumns?.forEach((column, index) => {
    addAll(errors, columnErrors(column, `spec.additionalPrinterColumns[${index}]`));
  });
  addAll(errors, commonSelectableErrors(spec, rules));
  addAll(errors, conversionErrors(spec));
  return errors;
}

function rulesFor(spec: HoistedSpec, given: CustomResourceDefinitionSpec, before: Rules): Rules {
  const extended = (schema: JsonSchema) =>
    schema["x-kubernetes-embedded-resource"] === true ||
    schema["x-kubernetes-preserve-unknown-fields"] !== undefined ||
    schema["x-kubernetes-int-or-string"] === true ||
    (schema["x-kubernetes-list-map-keys"] ?? []).length > 0 ||
    schema["x-kubernetes-list-type"] !== undefined ||
    (schema["x-kubernetes-validations"] ?? []).length > 0 ||
    hasDefault(schema);
  const requireStructural =
    before.requireStructural ||
    spec.preserveUnknownFields !== true ||
    given.versions.some((version) => someSchema(schemaOf(version), extended));
  return { ...before, requireStructural };
}

function groupErrors(group: string): readonly FieldError[] {
  if (group === "") return [required("spec.group")];
  const problems = checkDnsSubdomain(group);
  if (problems.length > 0) return [invalid("spec.group", group, problems.join(","))];
  if (group.includes(".")) return [];
  return [invalid("spec.group", group, "should be a domain with at least one dot")];
}

function enumErrors(
  path: string,
  value: string,
  accepted: readonly string[],
): readonly FieldError[] {
  if (value === "") return [required(path)];
  return accepted.includes(value) ? [] : [notSupported(path, value, accepted)];
}

function missingSchemaErrors(spec: HoistedSpec, rules: Rules): readonly FieldError[] {
  if (spec.validation?.openAPIV3Schema !== undefined) return [];
  return spec.versions.flatMap((version, index) => {
    if (schemaOf(version) !== undefined) return [];
    const path = `spec.versions[${index}].schema.openAPIV3Schema`;
    if (rules.requireSchema) return [required(path)];
    if (spec.preserveUnknownFields === true || !version.served) return [];
    return [required(path, "because otherwise all fields are pruned")];
  });
}

function versionErrors(
  spec: HoistedSpec,
  version: CustomResourceDefinitionVersion,
  path: string,
  rules: Rules,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const problems = checkDns1035Label(version.name);
  if (problems.length > 0) errors.push(invalid(`${path}.name`, version.name, problems.join(",")));
  for (const problem of deprecationProblems(version)) {
    errors.push(invalid(`${path}.deprecationWarning`, version.deprecationWarning, problem));
  }
  const ownSubresources = spec.versions.some((each) => each.subresources !== undefined);
  const subresources = ownSubresources ? version.subresources : spec.subresources;
  const hasStatus = subresources?.status !== undefined;
  addAll(errors, schemaHolderErrors(version.schema, hasStatus, `${path}.schema`, rules));
  addAll(errors, subresourceErrors(version.subresources, `${path}.subresources`));
  version.additionalPrinterColumns?.forEach((column, index) => {
    addAll(errors, columnErrors(column, `${path}.additionalPrinterColumns[${index}]`));
  });
  const fields = version.selectableFields ?? [];
  if (fields.length === 0) return errors;
  const schema = schemaOf(version);
  if (schema === undefined) {
    const detail = "may only be set when `version.schema.openAPIV3Schema` is not included";
    errors.push(invalid(`${path}.selectableFields`, "", detail));
  } else {
    const mayBeMany = rules.tooManySelectable.has(version.name);
    addAll(errors, selectableErrors(fields, schema, `${path}.selectableFields`, mayBeMany));
  }
  return errors;
}

const warningBytesMax = 256;

function deprecationProblems({
  deprecated,
  deprecationWarning: warning,
}: CustomResourceDefinitionVersion): readonly string[] {
  if (warning === undefined) return [];
  if (deprecated !== true) return ["can only be set for deprecated versions"];
  const problems: string[] = [];
  if (Buffer.byteLength(warning) > warningBytesMax) {
    problems.push(`must be <= ${warningBytesMax} characters long`);
  }
  if (warning === "") problems.push("must not be an empty string");
  let at = 0;
  for (const character of warning) {
    if (character !== " " && /[\p{C}\p{Z}]/u.test(character)) {
      problems.push(
        `must only contain printable UTF-8 characters; non-printable character found at index ${at}`,
      );
      break;
    }
    at += Buffer.byteLength(character);
  }
  return problems;
}

function versionListErrors(spec: HoistedSpec): readonly FieldError[] {
  const errors: FieldError[] = [];
  const names = spec.versions.map(({ name }) => name);
  const shown = spec.versions.length === 0 ? null : spec.versions.map(printedVersion);
  if (new Set(names).size < names.length) {
    errors.push(invalid("spec.versions", shown, "must contain unique version names"));
  }
  if (spec.versions.filter(({ storage }) => storage).length !== 1) {
    const detail = "must have exactly one version marked as storage version";
    errors.push(invalid("spec.versions", shown, detail));
  }
  return errors;
}

/** As upstream prints a version: by the names of the fields that its own form has. */
function printedVersion(version: CustomResourceDefinitionVersion): object {
  return {
    Name: version.name,
    Served: version.served,
    Storage: version.storage,
    Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: version.schema ?? null,
    Subresources: version.subresources ?? null,
    AdditionalPrinterColumns: version.additionalPrinterColumns ?? null,
    SelectableFields: version.selectableFields ?? null,
  };
}

// ---- names ---------------------------------------------------------------------

function requiredNameErrors(names: CustomResourceDefinitionNames): readonly FieldError[] {
  const fields = ["plural", "singular", "kind", "listKind"] as const;
  return fields
    .filter((field) => (names[field] ?? "") === "")
    .map((field) => required(`spec.names.${field}`));
}

function nameErrors(names: CustomResourceDefinitionNames, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { kind = "", listKind = "", shortNames = [], categories = [] } = names;
  for (const field of ["plural", "singular"] as const) {
    const problems = checkDns1035Label(names[field] ?? "");
    if ((names[field] ?? "") === "" || problems.length === 0) continue;
    errors.push(invalid(`${path}.${field}`, names[field], problems.join(",")));
  }
  for (const field of ["kind", "listKind"] as const) {
    const name = names[field] ?? "";
    const problems = checkDns1035Label(name.toLowerCase());
    if (name === "" || problems.length === 0) continue;
    const detail = `may have mixed case, but should otherwise match: ${problems.join(",")}`;
    errors.push(invalid(`${path}.${field}`, name, detail));
  }
  shortNames.forEach((name, index) => {
    const problems = checkDns1035Label(name);
    if (problems.length === 0) return;
    errors.push(invalid(`${path}.shortNames[${index}]`, name, problems.join(",")));
  });
  if (kind !== "" && kind === listKind) {
    const detail = "kind and listKind may not be the same";
    errors.push(invalid(`${path}.listKind`, listKind, detail));
  }
  categories.forEach((name, index) => {
    const problems = checkDns1035Label(name);
    if (problems.length === 0) return;
    errors.push(invalid(`${path}.categories[${index}]`, name, problems.join(",")));
  });
  return errors;
}

// ---- schemas -------------------------------------------------------------------

function schemaHolderErrors(
  holder: SchemaHolder | undefined,
  hasStatus: boolean,
  path: string,
  rules: Rules,
): readonly FieldError[] {
  const schema = holder?.openAPIV3Schema;
  if (schema === undefined) return [];
  const at = `${path}.openAPIV3Schema`;
  const errors: FieldError[] = [];
  if (hasStatus) addAll(errors, rootErrors(schema, at));
  if (schema.nullable === true) {
    errors.push(forbidden(`${at}.nullable`, "nullable cannot be true at the root"));
  }
  if (rules.requireStructural) {
    const structural = structuralErrors(schema, at);
    errors.push(
      ...(structural.length > 0
        ? structural
        : defaultErrors(schema, at, rules.requirePrunedDefaults)),
    );
  }
  addAll(errors, schemaErrors(schema, at, rules));
  addAll(errors, unsupportedSchemaRules(schema, at));
  return errors;
}

/** Upstream's list, as it prints it. */
const fieldsAtRoot: readonly (readonly [string, keyof JsonSchema])[] = [
  ["Description", "description"],
  ["Type", "type"],
  ["Format", "format"],
  ["Title", "title"],
  ["Maximum", "maximum"],
  ["ExclusiveMaximum", "exclusiveMaximum"],
  ["Minimum", "minimum"],
  ["ExclusiveMinimum", "exclusiveMinimum"],
  ["MaxLength", "maxLength"],
  ["MinLength", "minLength"],
  ["Pattern", "pattern"],
  ["MaxItems", "maxItems"],
  ["MinItems", "minItems"],
  ["UniqueItems", "uniqueItems"],
  ["MultipleOf", "multipleOf"],
  ["Required", "required"],
  ["Items", "items"],
  ["Properties", "properties"],
  ["ExternalDocs", "externalDocs"],
  ["Example", "example"],
  ["XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields"],
  ["XValidations", "x-kubernetes-validations"],
];

/** Status is checked by itself, by its own part of the schema: nothing at the root may restrict it. */
function rootErrors(schema: JsonSchema, path: string): readonly FieldError[] {
  if (schema.type !== undefined && schema.type !== "object") {
    const detail =
      'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    return [invalid(`${path}.type`, schema.type, detail)];
  }
  const allowed = new Set<string>(fieldsAtRoot.map(([, field]) => field));
  const others = Object.entries(schema).filter(
    ([field, value]) => !allowed.has(field) && value !== false && value !== "",
  );
  if (others.length === 0) return [];
  const names = fieldsAtRoot.map(([name]) => name).join(" ");
  const detail = `only [${names}] fields are allowed at the root of the schema if the status subresource is enabled`;
  return [invalid(path, schema, detail)];
}

// ---- subresources, columns, selectable fields -------------------------------------

function subresourceErrors(
  subresources: CustomResourceSubresources | undefined,
  path: string,
): readonly FieldError[] {
  const scale = subresources?.scale;
  if (scale === undefined) return [];
  const errors: FieldError[] = [];
  const check = (
    field: "specReplicasPath" | "statusReplicasPath",
    prefix: string,
    detail: string,
  ) => {
    const at = `${path}.scale.${field}`;
    const value = scale[field];
    if (value === "") errors.push(required(at));
    else if (!value.startsWith(".")) addAll(errors, simplePathErrors(value, at));
    else if (!value.startsWith(prefix)) errors.push(invalid(at, value, detail));
  };
  check("specReplicasPath", ".spec.", "should be a json path under .spec");
  check("statusReplicasPath", ".status.", "should be a json path under .status");
  const selector = scale.labelSelectorPath ?? "";
  const at = `${path}.scale.labelSelectorPath`;
  if (selector === "") return errors;
  if (!selector.startsWith(".")) addAll(errors, simplePathErrors(selector, at));
  else if (!/^\.(spec|status)\./.test(selector)) {
    errors.push(invalid(at, selector, "should be a json path under either .spec or .status"));
  }
  return errors;
}

function simplePathErrors(path: string, at: string): readonly FieldError[] {
  if (path.startsWith(".")) return [];
  return [invalid(at, path, "must be a simple json path starting with .")];
}

const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = [
  "byte",
  "date",
  "date-time",
  "double",
  "float",
  "int32",
  "int64",
  "password",
];

function columnErrors(column: PrinterColumn, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (column.name === "") errors.push(required(`${path}.name`));
  const types = `must be one of ${columnTypes.join(",")}`;
  if (column.type === "") errors.push(required(`${path}.type`, types));
  else if (!columnTypes.includes(column.type)) {
    errors.push(invalid(`${path}.type`, column.type, types));
  }
  const { format = "" } = column;
  if (format !== "" && !columnFormats.includes(format)) {
    errors.push(invalid(`${path}.format`, format, `must be one of ${columnFormats.join(",")}`));
  }
  if (column.jsonPath === "") errors.push(required(`${path}.JSONPath`));
  else addAll(errors, simplePathErrors(column.jsonPath, `${path}.JSONPath`));
  return errors;
}

function commonSelectableErrors(spec: HoistedSpec, rules: Rules): readonly FieldError[] {
  const fields = spec.selectableFields ?? [];
  if (fields.length === 0) return [];
  const path = "spec.selectableFields";
  const schema = spec.validation?.openAPIV3Schema;
  if (schema === undefined) {
    return [invalid(path, "", "may only be set when validations.schema is included")];
  }
  return selectableErrors(fields, schema, path, rules.tooManySelectable.has(""));
}

function selectableErrors(
  fields: readonly SelectableField[],
  schema: JsonSchema,
  path: string,
  mayBeMany: boolean,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  fields.forEach(({ jsonPath }, index) => {
    const at = `${path}[${index}].jsonPath`;
    if (jsonPath === "") {
      errors.push(required(at));
      return;
    }
    const found = selectablePath(jsonPath, schema);
    if (found.outcome === "problem") {
      errors.push(invalid(at, jsonPath, `is an invalid path: ${found.problem}`));
      return;
    }
    if (found.steps[0] === "metadata") {
      errors.push(invalid(at, jsonPath, "must not point to fields in metadata"));
    }
    if (!["string", "boolean", "integer"].includes(found.schema.type ?? "")) {
      const detail =
        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
      errors.push(invalid(at, jsonPath, detail));
    }
    const key = found.steps.join(".");
    if (seen.has(key)) errors.push(duplicate(at, jsonPath));
    seen.add(key);
  });
  if (seen.size > selectableFieldsMax && !mayBeMany) {
    errors.push(tooMany(path, seen.size, selectableFieldsMax));
  }
  return errors;
}

// ---- conversion ------------------------------------------------------------------

function conversionErrors(spec: HoistedSpec): readonly FieldError[] {
  const { conversion } = spec;
  if (conversion === undefined) return [];
  const path = "spec.conversion";
  const errors: FieldError[] = [];
  if (conversion.strategy !== "None" && spec.preserveUnknownFields === true) {
    const detail = "must be None if spec.preserveUnknownFields is true";
    errors.push(invalid(`${path}.strategy`, conversion.strategy, detail));
  }
  addAll(errors, enumErrors(`${path}.strategy`, conversion.strategy, ["None", "Webhook"]));
  addAll(errors, unsupportedConversion(spec));
  if (conversion.strategy === "Webhook") return errors;
  const detail = "should not be set when strategy is not set to Webhook";
  if (conversion.webhook?.clientConfig !== undefined) {
    errors.push(forbidden(`${path}.webhookClientConfig`, detail));
  }
  if ((conversion.webhook?.conversionReviewVersions ?? []).length > 0) {
    errors.push(forbidden(`${path}.conversionReviewVersions`, detail));
  }
  return errors;
}

// ---- status, approval ---------------------------------------------------------------

function statusErrors({ status }: CustomResourceDefinition): readonly FieldError[] {
  const names = status?.acceptedNames;
  return names === undefined ? [] : nameErrors(names, "status.acceptedNames");
}

function storedVersionErrors({ spec, status }: CustomResourceDefinition): readonly FieldError[] {
  const path = "status.storedVersions";
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) return [invalid(path, stored, "must have at least one stored version")];
  const errors: FieldError[] = [];
  for (const { name, storage } of spec.versions) {
    if (storage && !stored.includes(name)) {
      errors.push(invalid(path, stored, `must have the storage version ${name}`));
    }
  }
  stored.forEach((version, index) => {
    if (spec.versions.some(({ name }) => name === version)) return;
    const detail = `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`;
    errors.push(invalid(`${path}[${index}]`, version, detail));
  });
  return errors;
}

function approvalErrors(
  { spec, metadata }: CustomResourceDefinition,
  previous: CustomResourceDefinition | undefined,
): readonly FieldError[] {
  if (!isProtectedGroup(spec.group)) return [];
  const approval = apiApprovalOf(metadata.annotations);
  if (
    previous !== undefined &&
    apiApprovalOf(previous.metadata.annotations).state === approval.state
  ) {
    return [];
  }
  const path = `metadata.annotations[${apiApprovedAnnotation}]`;
  switch (approval.state) {
    case "missing":
      return [required(path, approval.reason)];
    case "invalid": {
      const annotation = metadata.annotations?.[apiApprovedAnnotation] ?? "";
      return [invalid(path, annotation, approval.reason)];
    }
    case "approved":
    case "bypassed":
      return [];
  }
}

function preserveErrors(
  spec: CustomResourceDefinitionSpec,
  previous: CustomResourceDefinitionSpec | undefined,
): readonly FieldError[] {
  if (previous?.preserveUnknownFields === true || spec.preserveUnknownFields !== true) return [];
  const detail =
    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
  return [invalid("spec.preserveUnknownFields", true, detail)];
}
