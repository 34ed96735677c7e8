import { ApiError } from "../../api-error.ts";
import type { ManagedFieldsEntry } from "../../generated/meta-v1.generated.ts";
import type { FieldType, ObjectSchema } from "../../schema.ts";
import {
  copyJson,
  copyJsonObject,
  equalJson,
  isJsonDraft,
  isJsonList,
  isJsonObject,
  type JsonDraft,
  type JsonObject,
  setOwn,
} from "../json-value.ts";
import { failed, requireShallow } from "../refusal.ts";
import { type Conflict, conflictsOf } from "./conflicts.ts";
import { hasPath, union } from "./field-set.ts";
import { kubectlManager, lastAppliedFields, updateLastApplied } from "./last-applied.ts";
import {
  decodeManagedFields,
  encodeManagedFields,
  type Manager,
  managerId,
} from "./managed-fields.ts";
import { mergeTyped } from "./merge-typed.ts";
import {
  compareObjects,
  managedFieldsOf,
  type ResetFields,
  takeOver,
  withoutReset,
  withoutUnowned,
} from "./ownership.ts";
import { prune } from "./prune.ts";
import { reconcileFields } from "./reconcile-fields.ts";
import { toFieldSet } from "./to-field-set.ts";
import { recordUpdate } from "./track-update.ts";
import { childType, emptyObject, itemType, rootType } from "./typed.ts";
import { requireTyped } from "./validate-typed.ts";

export interface Apply {
  readonly schema: ObjectSchema;
  /** The object as it is stored; undefined: this apply creates it. */
  readonly live: JsonObject | undefined;
  /** What is applied, as the client sent it: only the fields it has an opinion on. */
  readonly applied: JsonObject;
  readonly manager: string;
  /** Take over what conflicts. */
  readonly force: boolean;
  /** The version and kind of the endpoint, e.g. `apps/v1` and `Deployment`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** "" is the main resource. */
  readonly subresource: string;
  /** See `defaultResetFields`. */
  readonly resetFields: ResetFields;
  /** The present second, e.g. `2026-11-21T01:09:05Z`. */
  readonly nowRfc3339: string;
}

export type Applied =
  /** An unshared object, not yet defaulted, with its new managed fields. */
  | { readonly outcome: "applied"; readonly object: JsonObject }
  /** See `conflictError`. */
  | { readonly outcome: "conflicts"; readonly conflicts: readonly Conflict[] };

/** The name under which fields that were there before the first apply are owned. */
const beforeFirstApply = "before-first-apply";

/**
 * Server-side apply: lays what is applied over the live object, takes away what this manager applied before and
 * leaves out now if nobody else owns it, and records who owns what. Refuses to change what others own unless forced.
 */
export function applyPatch(apply: Apply): Applied {
  requireApplicable(apply);
  const result = applyOnce(apply, apply.force);
  if (result.outcome === "conflicts") return retryForKubectl(apply, result.conflicts);
  return result;
}

/** Fields that client-side apply set are kubectl's own: taking those over is no conflict. */
function retryForKubectl(apply: Apply, conflicts: readonly Conflict[]): Applied {
  const unresolved: Applied = { outcome: "conflicts", conflicts };
  if (apply.manager !== kubectlManager || apply.live === undefined) return unresolved;
  const allowed = lastAppliedFields(apply.schema, apply.live, apply.apiVersion);
  if (allowed === undefined) return unresolved;
  const others = conflicts.filter((conflict) => !hasPath(allowed, conflict.path));
  if (others.length > 0) return { outcome: "conflicts", conflicts: others };
  return applyOnce(apply, true);
}

function applyOnce(apply: Apply, force: boolean): Applied {
  const { schema, applied, resetFields } = apply;
  const type = rootType(schema);
  const live = apply.live ?? newObject(apply);
  const managers = liveManagers(apply, live);
  const applier = {
    name: apply.manager === "" ? "unknown" : apply.manager,
    operation: "Apply",
    apiVersion: apply.apiVersion,
    subresource: apply.subresource,
  } as const;
  const id = managerId(applier);
  const before = managers.get(id);

  const merged = mergeLive(type, live, applied);
  const set = withoutReset(toFieldSet(type, applied), resetFields);
  managers.set(id, { ...applier, set, time: before?.time, entry: undefined });
  const owned = [...managers.values()].map((manager) => manager.set).reduce(union);
  const pruned = before === undefined ? merged : prune(type, merged, before.set, owned);
  const object = withoutNulls(type, pruned);

  const comparison = compareObjects(schema, live, object, resetFields);
  const taken = takeOver(managers, comparison, id);
  if (!force && taken.contested.length > 0) {
    return { outcome: "conflicts", conflicts: conflictsOf(taken.contested) };
  }
  taken.settle();
  // A time is when the object last changed, so an apply that changes nothing keeps it.
  const time = equalJson(live, object) ? before?.time : apply.nowRfc3339;
  const entry = isUnchanged(before, set, time) ? before?.entry : undefined;
  const ownSet = withoutUnowned(set);
  if (ownSet.size === 0) managers.delete(id);
  else managers.set(id, { ...applier, set: ownSet, time, entry });
  return { outcome: "applied", object: finish(apply, object, managers) };
}

function isUnchanged(
  before: Manager | undefined,
  set: Manager["set"],
  time: string | undefined,
): boolean {
  return before !== undefined && before.set === set && before.time === time;
}

function finish(
  apply: Apply,
  object: JsonObject,
  managers: ReadonlyMap<string, Manager>,
): JsonObject {
  const result = copyJsonObject(object);
  const { metadata } = result;
  const draft: JsonDraft = isJsonDraft(metadata) ? metadata : {};
  const entries: readonly ManagedFieldsEntry[] = encodeManagedFields(managers.values());
  if (entries.length > 0) draft["managedFields"] = entries;
  else delete draft["managedFields"];
  result["metadata"] = draft;
  if (apply.manager === kubectlManager) updateLastApplied(result, apply.applied);
  return result;
}

/** What an object is before it exists: of its kind, and empty. */
function newObject(apply: Apply): JsonObject {
  return { apiVersion: apply.apiVersion, kind: apply.kind, ...emptyObject(apply.schema) };
}

function mergeLive(type: FieldType, live: JsonObject, applied: JsonObject): unknown {
  try {
    return mergeTyped(type, live, applied);
  } catch (caught) {
    throw failed("failed to merge config", caught);
  }
}

/** The managers of the live object; the first apply finds all that is there owned by "before-first-apply". */
function liveManagers(apply: Apply, live: JsonObject): Map<string, Manager> {
  const { schema } = apply;
  const managers = decodeLive(live);
  if (managers.size === 0 && apply.live !== undefined) {
    const update = { ...apply, manager: beforeFirstApply };
    recordUpdate(managers, update, compareObjects(schema, undefined, live, apply.resetFields));
  }
  for (const [id, manager] of managers) {
    const set = reconcileFields(schema, manager.set);
    if (set !== manager.set) managers.set(id, { ...manager, set, entry: undefined });
  }
  return managers;
}

function decodeLive(live: JsonObject): Map<string, Manager> {
  const stored = managedFieldsOf(live);
  try {
    return decodeManagedFields(stored, stored);
  } catch (caught) {
    throw failed("failed to decode managed fields", caught);
  }
}

function requireApplicable(apply: Apply): void {
  const { applied, schema } = apply;
  requireShallow(applied, "error decoding YAML");
  if (applied["apiVersion"] !== apply.apiVersion || applied["kind"] !== apply.kind) {
    throw ApiError.badRequest(
      `invalid object type: ${printKind(applied["apiVersion"], applied["kind"])}`,
    );
  }
  const entries = managedFieldsOf(applied);
  if (entries !== undefined) throw ApiError.badRequest("metadata.managedFields must be nil");
  try {
    requireTyped(rootType(schema), applied);
  } catch (caught) {
    throw failed(`failed to create typed patch object (${printObject(applied)})`, caught);
  }
}

function printObject(object: JsonObject): string {
  const metadata = isJsonObject(object["metadata"]) ? object["metadata"] : {};
  const name = textOf(metadata["name"]);
  const namespace = textOf(metadata["namespace"]);
  return `${namespace}/${name}; ${printKind(object["apiVersion"], object["kind"])}`;
}

/** `apps/v1, Kind=Deployment`; the core group has nothing before its slash. */
function printKind(apiVersion: unknown, kind: unknown): string {
  const version = textOf(apiVersion);
  return `${version.includes("/") ? version : `/${version}`}, Kind=${textOf(kind)}`;
}

/** Nothing has been checked yet: what is no text says nothing. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Pruning leaves null where a map or a list has nothing left; an object without the field says the same. */
function withoutNulls(type: FieldType, value: unknown): JsonObject {
  const cleaned = clean(type, value);
  return isJsonObject(cleaned) ? cleaned : {};
}

/** Null is a value only where the schema has any value. */
function clean(type: FieldType, value: unknown): unknown {
  if (type.kind === "any") return copyJson(value);
  if (isJsonList(value)) return value.map((item) => clean(itemType(type), item));
  if (!isJsonObject(value)) return value;
  const copy: JsonDraft = {};
  for (const key of Object.keys(value)) {
    const child = value[key];
    if (child !== null && child !== undefined)
      setOwn(copy, key, clean(childType(type, key), child));
  }
  return copy;
}
