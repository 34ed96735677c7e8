import type { ManagedFieldsEntry } from "../../generated/meta-v1.generated.ts";
import type { ObjectSchema } from "../../schema.ts";
import { equalJson, isJsonList, type JsonObject } from "../json-value.ts";
import { union } from "./field-set.ts";
import {
  capUpdateManagers,
  decodeManagedFields,
  encodeManagedFields,
  isReset,
  type Manager,
  managerId,
} from "./managed-fields.ts";
import {
  compareObjects,
  managedFieldsOf,
  type ResetFields,
  takeOver,
  withoutUnowned,
} from "./ownership.ts";
import { reconcileFields } from "./reconcile-fields.ts";

export interface Update {
  readonly schema: ObjectSchema;
  /** The object as it is stored; undefined: this write creates it. */
  readonly previous: JsonObject | undefined;
  /** The object that is to be stored, with the managed fields the client sent, if any. */
  readonly next: JsonObject;
  /** The field manager the client names, or what its User-Agent says. */
  readonly manager: string;
  /** The version the client writes in, e.g. `apps/v1`. */
  readonly apiVersion: string;
  /** "" is the main resource. */
  readonly subresource: string;
  /** See `defaultResetFields`. */
  readonly resetFields: ResetFields;
  /** The present second, e.g. `2026-11-21T01:09:05Z`. */
  readonly nowRfc3339: string;
}

/**
 * The managed fields of an object after a create, an update or a patch that is no apply: the writer owns what it
 * changed and added, and nobody owns what it removed. Undefined where nothing is owned. Entries that have not
 * changed are the very values they were.
 */
export function trackUpdate(update: Update): readonly ManagedFieldsEntry[] | undefined {
  const { schema, previous, next, resetFields } = update;
  const stored = managedFieldsOf(previous);
  const sent = update.subresource === "" ? managedFieldsOf(next) : undefined;
  const managers = startingManagers(stored, sent);
  // Once an object has no managed fields it is tracked again only from the first apply on.
  if (managers.size === 0 && previous !== undefined) return undefined;

  for (const [id, manager] of managers) {
    const set = reconcileFields(schema, manager.set);
    if (set !== manager.set) managers.set(id, { ...manager, set, entry: undefined });
  }
  recordUpdate(managers, update, compareObjects(schema, previous, next, resetFields));
  const entries = encodeManagedFields(managers.values());
  if (entries.length === 0) return undefined;
  return isSameList(entries, stored) ? (stored as readonly ManagedFieldsEntry[]) : entries;
}

/** Gives the updater what it changed and added, and takes that and what it removed from everybody. */
export function recordUpdate(
  managers: Map<string, Manager>,
  update: Pick<Update, "manager" | "apiVersion" | "subresource" | "nowRfc3339">,
  comparison: ReturnType<typeof compareObjects>,
): void {
  takeOver(managers, comparison, "").settle();
  const set = withoutUnowned(union(comparison.modified, comparison.added));
  if (set.size > 0) {
    const updater = {
      name: update.manager === "" ? "unknown" : update.manager,
      operation: "Update",
      apiVersion: update.apiVersion,
      subresource: update.subresource,
    } as const;
    const id = managerId(updater);
    const before = managers.get(id);
    managers.set(id, {
      ...updater,
      set: before === undefined ? set : union(before.set, set),
      time: update.nowRfc3339,
      entry: undefined,
    });
  }
  capUpdateManagers(managers);
}

/** Clients may write managed fields; one that sends none, or nonsense, does not thereby delete them. */
function startingManagers(stored: unknown, sent: unknown): Map<string, Manager> {
  if (isReset(sent)) return new Map();
  if (sent !== undefined && sent !== stored) {
    const managers = decodeOrNone(reuseEntries(sent, stored), stored);
    if (managers.size > 0) return managers;
  }
  return decodeOrNone(stored, stored);
}

/** Most clients send back what they read: the stored entries are taken then, whose sets are known already. */
function reuseEntries(sent: unknown, stored: unknown): unknown {
  if (!isJsonList(sent) || !isJsonList(stored)) return sent;
  return sent.map((entry, at) => {
    if (equalJson(entry, stored[at])) return stored[at];
    return stored.find((known) => equalJson(known, entry)) ?? entry;
  });
}

function decodeOrNone(entries: unknown, stored: unknown): Map<string, Manager> {
  try {
    return decodeManagedFields(entries, stored);
  } catch {
    return new Map();
  }
}

function isSameList(entries: readonly unknown[], stored: unknown): boolean {
  return (
    isJsonList(stored) &&
    stored.length === entries.length &&
    entries.every((entry, at) => entry === stored[at])
  );
}
