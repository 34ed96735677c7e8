import type { ManagedFieldsEntry } from "../../generated/meta-v1.generated.ts";
import { equalJson, isJsonList, isJsonObject, type JsonObject } from "../json-value.ts";
import { managedFieldsOf } from "./ownership.ts";

/**
 * The managed fields that `next` should be stored with: those of `previous` where nothing but their times differs
 * between the two, so that an apply whose values only look new (`1000m` for `1`) is no write.
 */
export function keepTimes(
  previous: JsonObject,
  next: JsonObject,
): readonly ManagedFieldsEntry[] | undefined {
  const before = managedFieldsOf(previous) as readonly ManagedFieldsEntry[] | undefined;
  const after = managedFieldsOf(next) as readonly ManagedFieldsEntry[] | undefined;
  if (before === after || !isJsonList(before) || !isJsonList(after)) return after;
  const isSame =
    before.length === after.length &&
    before.every((entry, at) => equalJson(timeless(entry), timeless(after[at]))) &&
    equalJson(unmanaged(previous), unmanaged(next));
  return isSame ? before : after;
}

function timeless(entry: ManagedFieldsEntry | undefined): object {
  return { ...entry, time: undefined };
}

function unmanaged(object: JsonObject): JsonObject {
  const { metadata } = object;
  if (!isJsonObject(metadata)) return object;
  return { ...object, metadata: { ...metadata, managedFields: undefined } };
}
