import type { ObjectSchema } from "../../schema.ts";
import { isJsonObject, type JsonDraft, type JsonObject } from "../json-value.ts";
import { type Comparison, compareTyped } from "./compare.ts";
import {
  difference,
  type FieldSet,
  fieldSetOf,
  intersection,
  recursiveDifference,
  union,
} from "./field-set.ts";
import type { Manager } from "./managed-fields.ts";
import { fieldElement } from "./path-element.ts";
import { emptyObject, rootType } from "./typed.ts";

/** Fields by name from the root, each owned by nobody through this endpoint, with all that is in them. */
export type ResetFields = readonly (readonly string[])[];

const noReset: ResetFields = [];
const resetStatus: ResetFields = [["status"]];
const resetSpec: ResetFields = [["spec"]];

/** What a write through an endpoint resets, where the kind says nothing else: status, or all but status. */
export function defaultResetFields(subresource: string, hasStatus: boolean): ResetFields {
  if (!hasStatus) return noReset;
  if (subresource === "") return resetStatus;
  return subresource === "status" ? resetSpec : noReset;
}

const resetSets = new WeakMap<ResetFields, FieldSet>();

function resetSet(resetFields: ResetFields): FieldSet {
  const known = resetSets.get(resetFields);
  if (known !== undefined) return known;
  const set = fieldSetOf(resetFields.map((path) => path.map(fieldElement)));
  resetSets.set(resetFields, set);
  return set;
}

/** The set without what the endpoint resets. */
export function withoutReset(set: FieldSet, resetFields: ResetFields): FieldSet {
  return recursiveDifference(set, resetSet(resetFields));
}

/** What the system alone writes: nobody ever owns it. */
const unownedMetadata = [
  "name",
  "namespace",
  "creationTimestamp",
  "selfLink",
  "uid",
  "clusterName",
  "generation",
  "managedFields",
  "resourceVersion",
];
const unowned = fieldSetOf([
  ["f:apiVersion"],
  ["f:kind"],
  ["f:metadata"],
  ...unownedMetadata.map((name) => ["f:metadata", fieldElement(name)]),
]);

export function withoutUnowned(set: FieldSet): FieldSet {
  return difference(set, unowned);
}

/** Where two states of an object differ in what can be owned through the endpoint; `undefined` is no object yet. */
export function compareObjects(
  schema: ObjectSchema,
  previous: JsonObject | undefined,
  next: JsonObject,
  resetFields: ResetFields,
): Comparison {
  const before = ownable(previous ?? emptyObject(schema), resetFields);
  const comparison = compareTyped(rootType(schema), before, ownable(next, resetFields));
  if (resetFields.every((path) => path.length === 1)) return comparison;
  const reset = resetSet(resetFields);
  return {
    removed: recursiveDifference(comparison.removed, reset),
    modified: recursiveDifference(comparison.modified, reset),
    added: recursiveDifference(comparison.added, reset),
  };
}

/** The object without what nobody owns, so that it is not compared: much of it differs in every write. */
function ownable(object: JsonObject, resetFields: ResetFields): JsonObject {
  const owned: JsonDraft = { ...object };
  for (const [name = "", ...rest] of resetFields) if (rest.length === 0) owned[name] = undefined;
  const { metadata } = object;
  if (isJsonObject(metadata)) {
    const ownedMetadata: JsonDraft = { ...metadata };
    for (const name of unownedMetadata) ownedMetadata[name] = undefined;
    owned["metadata"] = ownedMetadata;
  }
  return owned;
}

export interface TakenOver {
  /** What each manager owns that was given another value, or was there without a value before. */
  readonly contested: readonly Manager[];
  /** Takes from everyone what was changed or removed. */
  settle(): void;
}

/** What a change takes from the managers other than the one that makes it. */
export function takeOver(
  managers: Map<string, Manager>,
  comparison: Comparison,
  except: string,
): TakenOver {
  const changed = union(comparison.modified, comparison.added);
  const lost = union(changed, comparison.removed);
  const contested: Manager[] = [];
  if (changed.size > 0) {
    for (const [id, manager] of managers) {
      if (id === except) continue;
      const set = intersection(manager.set, changed);
      if (set.size > 0) contested.push({ ...manager, set });
    }
  }
  return {
    contested,
    settle() {
      for (const [id, manager] of managers) {
        const set = id === except ? manager.set : difference(manager.set, lost);
        if (set.size === 0) managers.delete(id);
        else if (set !== manager.set) managers.set(id, { ...manager, set, entry: undefined });
      }
    },
  };
}

/** The managed fields of an object; an object without metadata has none. */
export function managedFieldsOf(object: JsonObject | undefined): unknown {
  const metadata = object?.["metadata"];
  const entries = isJsonObject(metadata) ? metadata["managedFields"] : undefined;
  return entries === null ? undefined : entries;
}
