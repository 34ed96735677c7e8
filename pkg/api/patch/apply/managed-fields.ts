import type { ManagedFieldsEntry } from "../../generated/meta-v1.generated.ts";
import { equalJson, isJsonList, isJsonObject } from "../json-value.ts";
import { type FieldSet, union } from "./field-set.ts";
import { decodeFieldsV1, encodeFieldsV1 } from "./fields-v1.ts";

/** Who owns which fields: one entry per manager, operation, version and subresource. */
export interface Manager {
  readonly name: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  readonly set: FieldSet;
  readonly time: string | undefined;
  /** The entry that was read, when nothing in it has changed since. */
  readonly entry: ManagedFieldsEntry | undefined;
}

/** What tells managers apart, in the form in which Kubernetes orders them. Appliers are the same in every version. */
export function managerId(
  manager: Pick<Manager, "name" | "operation" | "apiVersion" | "subresource">,
): string {
  return JSON.stringify({
    ...(manager.name === "" ? {} : { manager: manager.name }),
    operation: manager.operation,
    ...(manager.operation === "Apply" ? {} : { apiVersion: manager.apiVersion }),
    ...(manager.subresource === "" ? {} : { subresource: manager.subresource }),
  });
}

/**
 * Reads `metadata.managedFields`. Throws a sentence when an entry is malformed. Entries of the `stored` list are in
 * the form that is written, and are written again as they are.
 */
export function decodeManagedFields(entries: unknown, stored: unknown): Map<string, Manager> {
  const managers = new Map<string, Manager>();
  if (!isJsonList(entries)) return managers;
  const written: readonly unknown[] = isJsonList(stored) ? stored : [];
  for (const [index, entry] of entries.entries()) {
    const manager = decodeEntry(entry, index);
    const kept = written.includes(entry) ? manager : { ...manager, entry: undefined };
    managers.set(managerId(manager), kept);
  }
  return managers;
}

function decodeEntry(value: unknown, index: number): Manager {
  if (!isJsonObject(value)) throw new Error("operation must be `Apply` or `Update`");
  const entry = value as ManagedFieldsEntry & typeof value;
  const { operation } = entry;
  if (operation !== "Apply" && operation !== "Update") {
    throw new Error("operation must be `Apply` or `Update`");
  }
  if (entry.apiVersion === undefined || entry.apiVersion === "") {
    throw new Error("apiVersion must not be empty");
  }
  if (entry.fieldsType === undefined || entry.fieldsType === "") {
    throw new Error(`missing fieldsType in managed fields entry ${index}`);
  }
  if (entry.fieldsType !== "FieldsV1") {
    throw new Error(
      `invalid fieldsType ${JSON.stringify(entry.fieldsType)} in managed fields entry ${index}`,
    );
  }
  return {
    name: entry.manager ?? "",
    operation,
    apiVersion: entry.apiVersion,
    subresource: entry.subresource ?? "",
    set: decodeFieldsV1(entry.fieldsV1),
    time: entry.time ?? undefined,
    entry,
  };
}

/** Writes `metadata.managedFields` in Kubernetes' order. Entries without fields are left out. */
export function encodeManagedFields(managers: Iterable<Manager>): ManagedFieldsEntry[] {
  return [...managers]
    .filter((manager) => manager.set.size > 0)
    .sort(compareManagers)
    .map(encodeManager);
}

function encodeManager(manager: Manager): ManagedFieldsEntry {
  if (manager.entry !== undefined) return manager.entry;
  const fieldsV1 = encodeFieldsV1(manager.set) as ManagedFieldsEntry["fieldsV1"] & object;
  return Object.freeze({
    ...(manager.name === "" ? {} : { manager: manager.name }),
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    ...(manager.time === undefined ? {} : { time: manager.time }),
    fieldsType: "FieldsV1",
    fieldsV1,
    ...(manager.subresource === "" ? {} : { subresource: manager.subresource }),
  });
}

function compareManagers(a: Manager, b: Manager): number {
  return (
    compare(a.operation, b.operation) ||
    secondsOf(a.time) - secondsOf(b.time) ||
    compare(a.name, b.name) ||
    compare(a.apiVersion, b.apiVersion) ||
    compare(a.subresource, b.subresource)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function secondsOf(time: string | undefined): number {
  return time === undefined ? 0 : Math.floor(Date.parse(time) / 1000);
}

/** Whether a client asks that nobody own anything any more: an empty list, or a list of one empty entry. */
export function isReset(entries: unknown): boolean {
  if (!isJsonList(entries)) return false;
  if (entries.length === 0) return true;
  const [only] = entries;
  return entries.length === 1 && isJsonObject(only) && equalJson(only, {});
}

/** More managers by update than this are merged, the oldest first. */
const updateManagersMax = 10;
const mergedManagerName = "ancient-changes";

/** Merges the oldest updaters of each version into one, until there are no more than ten. */
export function capUpdateManagers(managers: Map<string, Manager>): void {
  const updaters = [...managers].filter(([, manager]) => manager.operation === "Update");
  let excess = updaters.length - updateManagersMax;
  if (excess <= 0) return;
  updaters.sort(([idA, a], [idB, b]) => secondsOf(a.time) - secondsOf(b.time) || compare(idA, idB));
  const firsts = new Map<string, string>();
  for (const [id, manager] of updaters) {
    if (excess <= 0) return;
    const { apiVersion } = manager;
    const first = firsts.get(apiVersion);
    if (first === undefined) {
      firsts.set(apiVersion, id);
      continue;
    }
    const merged = {
      name: mergedManagerName,
      operation: "Update",
      apiVersion,
      subresource: "",
    } as const;
    const bucketId = managerId(merged);
    const bucket = managers.get(bucketId) ?? managers.get(first);
    if (!managers.has(bucketId)) managers.delete(first);
    managers.delete(id);
    managers.set(bucketId, {
      ...merged,
      set: bucket === undefined ? manager.set : union(bucket.set, manager.set),
      time: manager.time,
      entry: undefined,
    });
    excess -= 1;
  }
}
