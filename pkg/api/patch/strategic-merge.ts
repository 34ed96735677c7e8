import { ApiError } from "../api-error.ts";
import type { Field, FieldType, ObjectSchema } from "../schema.ts";
import { goPrint, goType } from "./go-print.ts";
import {
  copyJsonObject,
  isJsonDraft,
  isJsonList,
  isJsonObject,
  type JsonDraft,
  type JsonObject,
  ownValue,
  setOwn,
} from "./json-value.ts";
import { goKind, requireShallow, unprocessable } from "./refusal.ts";

const directive = "$patch";
const retainKeys = "$retainKeys";
const setElementOrder = "$setElementOrder";
const deleteFromPrimitiveList = "$deleteFromPrimitiveList";

/**
 * The document with a strategic merge patch carried out on an unshared copy of it: lists are merged by the keys the
 * schema names, and the directives `$patch`, `$retainKeys`, `$setElementOrder` and `$deleteFromPrimitiveList` are obeyed.
 */
export function applyStrategicMergePatch(
  schema: ObjectSchema,
  document: JsonObject,
  patch: unknown,
): JsonObject {
  if (!isJsonObject(patch)) {
    throw ApiError.badRequest(
      `json: cannot unmarshal ${goKind(patch)} into Go value of type map[string]interface {}`,
    );
  }
  requireShallow(patch, "error decoding patch");
  // Both are copied, because merging takes its directives out of the patch and moves parts of it.
  return mergeMap(copyJsonObject(document), copyJsonObject(patch), {
    kind: "object",
    schema: () => schema,
  });
}

type Merging = "merge" | "replace" | "";

interface Meta {
  readonly type: FieldType;
  readonly strategy: Merging;
  readonly mergeKey: string;
}

function mergeMap(original: JsonDraft, patch: JsonDraft, type: FieldType): JsonDraft {
  const marker = ownValue(patch, directive);
  if (marker !== undefined) return obeyDirective(marker, patch);
  obeyRetainKeys(original, patch);
  mergeOrderedLists(original, patch, type);
  const keys = Object.keys(patch);
  for (const key of keys) {
    if (!key.startsWith(deleteFromPrimitiveList)) mergeField(original, key, patch[key], type);
  }
  for (const key of keys) {
    if (key.startsWith(deleteFromPrimitiveList)) deleteFromList(original, key, patch[key]);
  }
  return original;
}

function obeyDirective(marker: unknown, patch: JsonDraft): JsonDraft {
  if (marker === "replace") {
    delete patch[directive];
    return patch;
  }
  if (marker === "delete") return {};
  throw unknownDirective(marker, patch);
}

function mergeField(original: JsonDraft, key: string, patched: unknown, type: FieldType): void {
  if (patched === null) {
    delete original[key];
    return;
  }
  const current = ownValue(original, key);
  if (isJsonDraft(current) && isJsonDraft(patched)) {
    const meta = metaOf(type, key);
    setOwn(
      original,
      key,
      meta.strategy === "replace" ? patched : mergeMap(current, patched, meta.type),
    );
  } else if (Array.isArray(current) && Array.isArray(patched)) {
    const meta = metaOfItems(type, key);
    setOwn(original, key, meta.strategy === "merge" ? mergeList(current, patched, meta) : patched);
  } else {
    const kept = withoutDirectives(withoutNulls(patched));
    if (kept === undefined) delete original[key];
    else setOwn(original, key, kept);
  }
}

/** Where a patch says `$retainKeys`, keys that are not listed go, and the patch may set no others. */
function obeyRetainKeys(original: JsonDraft, patch: JsonDraft): void {
  const list = ownValue(patch, retainKeys);
  if (list === undefined) return;
  delete patch[retainKeys];
  if (!isJsonList(list)) throw ApiError.badRequest("invalid patch format of retainKeys");
  const retained = new Set(list);
  for (const key of Object.keys(patch)) {
    if (patch[key] === null) continue;
    if (key.startsWith(deleteFromPrimitiveList) || key.startsWith(setElementOrder)) continue;
    if (!retained.has(key)) throw ApiError.badRequest("invalid patch format of retainKeys");
  }
  for (const key of Object.keys(original)) if (!retained.has(key)) delete original[key];
}

/** Merges each list that `$setElementOrder/<field>` speaks of, and takes both out of the patch. */
function mergeOrderedLists(original: JsonDraft, patch: JsonDraft, type: FieldType): void {
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(setElementOrder)) continue;
    const order = patch[key];
    delete patch[key];
    const field = fieldOf(key, setElementOrder, "invalid patch format of setElementOrder list");
    if (!Array.isArray(order)) throw badType([], order);
    const current = listOf(original, field);
    const patched = listOf(patch, field);
    const meta = metaOfItems(type, field);
    requireSameOrder(patched ?? [], order, meta.mergeKey);
    if (current === undefined && patched === undefined) continue;
    const merged =
      patched === undefined
        ? (current ?? [])
        : current === undefined
          ? (withoutDirectives(patched) as unknown[])
          : meta.strategy === "merge"
            ? mergeList(current, patched, meta)
            : patched;
    setOwn(original, field, ordered(merged, order, current ?? [], meta.mergeKey));
    delete patch[field];
  }
}

function listOf(object: JsonDraft, field: string): unknown[] | undefined {
  const list = ownValue(object, field);
  if (list === undefined || list === null) return undefined;
  if (!Array.isArray(list)) throw badType([], list);
  return list;
}

/** The items of the patch must stand in the order that the directive gives, which must name each of them. */
function requireSameOrder(
  patched: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string,
): void {
  if (order.length === 0 || patched.length === 0) return;
  const kept = patched.filter((item) => !(isJsonObject(item) && Object.hasOwn(item, directive)));
  let next = 0;
  for (const position of order) {
    const item = kept[next];
    if (next === kept.length) return;
    if (requireMergeKey(item, mergeKey) === requireMergeKey(position, mergeKey)) next += 1;
  }
  if (next < kept.length) {
    throw new ApiError(
      "",
      `The order in patch list:\n${goPrint(patched)}\n doesn't match ${setElementOrder} list:\n${goPrint(order)}\n`,
    );
  }
}

function mergeList(original: unknown[], patch: unknown[], meta: Meta): unknown[] {
  if (original.length === 0 && patch.length === 0) return original;
  if (itemKind(original, patch) !== "map") {
    const merged = [...new Set([...original, ...patch])];
    return ordered(merged, patch, original, "");
  }
  if (meta.mergeKey === "") {
    throw ApiError.badRequest(`cannot merge lists without merge key for struct`);
  }
  const { kept, patches } = obeyItemDirectives(original, patch, meta.mergeKey);
  const merged = [...kept];
  for (const item of patches) {
    const value = requireMergeKey(item, meta.mergeKey);
    const at = merged.findIndex((other) => keyOf(other, meta.mergeKey) === value);
    const found = merged[at];
    if (isJsonDraft(found)) merged[at] = mergeMap(found, item, meta.type);
    else merged.push(item);
  }
  return ordered(merged, patches, kept, meta.mergeKey);
}

/** Items that carry `$patch` delete their like, or make the rest of the patch replace the list. */
function obeyItemDirectives(
  original: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string,
): { readonly kept: readonly unknown[]; readonly patches: readonly JsonDraft[] } {
  let kept = original;
  let replaces = false;
  const patches: JsonDraft[] = [];
  for (const item of patch) {
    if (!isJsonDraft(item)) throw badType({}, item);
    const marker = ownValue(item, directive);
    if (marker === undefined) {
      patches.push(item);
    } else if (marker === "delete") {
      const value = requireMergeKey(item, mergeKey);
      kept = kept.filter((other) => keyOf(other, mergeKey) !== value);
    } else if (marker === "replace") {
      replaces = true;
    } else if (marker === "merge") {
      throw ApiError.badRequest("merging lists cannot yet be specified in the patch");
    } else {
      throw unknownDirective(marker, item);
    }
  }
  return replaces ? { kept: patches, patches: [] } : { kept, patches };
}

function deleteFromList(original: JsonDraft, key: string, deleted: unknown): void {
  const field = fieldOf(key, deleteFromPrimitiveList, "invalid patch format of primitive list");
  const current = ownValue(original, field);
  if (!Array.isArray(current) || !isJsonList(deleted)) return;
  const gone = new Set(deleted);
  setOwn(
    original,
    field,
    current.filter((item: unknown) => !gone.has(item)),
  );
}

/**
 * The items in the order wanted: those the patch names as the patch has them, the others as the server had them, and
 * each of the others before the first named one that followed it on the server.
 */
function ordered(
  items: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string,
): unknown[] {
  const patchPlaces = placesOf(patchOrder, mergeKey);
  const serverPlaces = placesOf(serverOrder, mergeKey);
  const place = (places: ReadonlyMap<unknown, number>, item: unknown): number =>
    places.get(keyOf(item, mergeKey)) ?? -1;
  if (mergeKey !== "") for (const item of items) requireMergeKey(item, mergeKey);
  const named = items
    .filter((item) => place(patchPlaces, item) >= 0)
    .sort((a, b) => place(patchPlaces, a) - place(patchPlaces, b));
  const others = items
    .filter((item) => place(patchPlaces, item) < 0)
    .sort((a, b) => place(serverPlaces, a) - place(serverPlaces, b));
  const all: unknown[] = [];
  let next = 0;
  for (const item of named) {
    const limit = place(serverPlaces, item);
    while (next < others.length) {
      const at = place(serverPlaces, others[next]);
      if (at < 0 || limit < 0 || at >= limit) break;
      all.push(others[next]);
      next += 1;
    }
    all.push(item);
  }
  return [...all, ...others.slice(next)];
}

/** The first place of each key in a list. */
function placesOf(list: readonly unknown[], mergeKey: string): ReadonlyMap<unknown, number> {
  const places = new Map<unknown, number>();
  for (const [index, item] of list.entries()) {
    const key = keyOf(item, mergeKey);
    if (!places.has(key)) places.set(key, index);
  }
  return places;
}

/** What identifies an item: the value of the merge key, or a scalar itself. */
function keyOf(item: unknown, mergeKey: string): unknown {
  if (mergeKey === "") return item;
  if (!isJsonObject(item)) throw badType({}, item);
  return ownValue(item, mergeKey);
}

function requireMergeKey(item: unknown, mergeKey: string): unknown {
  const value = keyOf(item, mergeKey);
  if (value !== undefined) return value;
  throw ApiError.badRequest(
    `map: ${goPrint(item)} does not contain declared merge key: ${mergeKey}`,
  );
}

function itemKind(...lists: readonly (readonly unknown[])[]): string {
  const kinds = new Set(lists.flatMap((list) => list.map(kindOf)));
  if (kinds.has("list")) throw unprocessable("lists of lists are not supported");
  if (kinds.size > 1) {
    throw ApiError.badRequest(`list element types are not identical: ${goPrint(lists)}`);
  }
  return [...kinds][0] ?? "";
}

function kindOf(value: unknown): string {
  if (isJsonList(value)) return "list";
  return isJsonObject(value) ? "map" : goType(value);
}

function fieldOf(key: string, prefix: string, refusal: string): string {
  const slash = key.indexOf("/");
  if (slash === -1 || key.slice(0, slash) !== prefix) throw ApiError.badRequest(refusal);
  return key.slice(slash + 1);
}

/** Parts of a new value that are directives are dropped; undefined: the value is one itself. */
function withoutDirectives(value: unknown): unknown {
  if (isJsonList(value)) {
    return value.map(withoutDirectives).filter((item) => item !== undefined);
  }
  if (!isJsonDraft(value)) return value;
  if (Object.hasOwn(value, directive)) return undefined;
  for (const key of Object.keys(value)) {
    const kept = withoutDirectives(value[key]);
    if (kept === undefined) delete value[key];
    else setOwn(value, key, kept);
  }
  return value;
}

function withoutNulls(value: unknown): unknown {
  if (isJsonList(value)) {
    for (const item of value) withoutNulls(item);
  } else if (isJsonDraft(value)) {
    for (const key of Object.keys(value)) {
      if (value[key] === null) delete value[key];
      else withoutNulls(value[key]);
    }
  }
  return value;
}

function metaOf(type: FieldType, key: string): Meta {
  if (type.kind === "map") return { type: type.value, strategy: "", mergeKey: "" };
  if (type.kind !== "object") return { type: { kind: "any" }, strategy: "", mergeKey: "" };
  const schema = type.schema();
  const field = schema.fields.get(key);
  if (field !== undefined) return { type: field.type, ...strategyOf(field) };
  if (schema.preserveUnknown) return { type: { kind: "any" }, strategy: "", mergeKey: "" };
  throw new ApiError(
    "",
    `unable to find api field in struct ${schema.goType} for the json field ${JSON.stringify(key)}`,
  );
}

function metaOfItems(type: FieldType, key: string): Meta {
  const meta = metaOf(type, key);
  return { ...meta, type: meta.type.kind === "list" ? meta.type.item : { kind: "any" } };
}

function strategyOf(field: Field): { readonly strategy: Merging; readonly mergeKey: string } {
  const strategy = field.patchStrategy.find((name) => name !== "retainKeys");
  return { strategy: strategy === undefined ? "" : strategy, mergeKey: field.patchMergeKey ?? "" };
}

function badType(expected: unknown, actual: unknown): ApiError {
  return ApiError.badRequest(`expected a ${goType(expected)}, but received a ${goType(actual)}`);
}

function unknownDirective(marker: unknown, map: JsonObject): ApiError {
  return ApiError.badRequest(`unknown patch type: ${goPrint(marker)} in map: ${goPrint(map)}`);
}
