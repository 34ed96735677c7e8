import type { FieldType } from "../../schema.ts";
import { type JsonDraft, setOwn } from "../json-value.ts";
import type { FieldSet } from "./field-set.ts";
import { fieldElement } from "./path-element.ts";
import { asList, asMap, childType, elementOrUndefined, type ListType, shapeOf } from "./typed.ts";

/** The value without what the set names. What has nothing left is null. Shares the rest with the value. */
export function removeItems(type: FieldType, value: unknown, gone: FieldSet): unknown {
  if (gone.size === 0) return value;
  if (shapeOf(type, value) === "leaf") {
    // An atomic list or map goes with any part of it.
    return typeof value === "object" ? null : value;
  }
  return type.kind === "list"
    ? removeFromList(type, value, gone)
    : removeFromMap(type, value, gone);
}

function removeFromList(type: ListType, value: unknown, gone: FieldSet): unknown {
  const kept: unknown[] = [];
  for (const item of asList(value) ?? []) {
    const element = elementOrUndefined(type, item);
    const node = element === undefined ? undefined : gone.get(element);
    if (node?.member === true) continue;
    kept.push(node === undefined ? item : removeItems(type.item, item, node.children));
  }
  return kept.length === 0 ? null : kept;
}

function removeFromMap(type: FieldType, value: unknown, gone: FieldSet): unknown {
  const map = asMap(value) ?? {};
  const kept: JsonDraft = {};
  let isEmpty = true;
  for (const key of Object.keys(map)) {
    const node = gone.get(fieldElement(key));
    if (node?.member === true) continue;
    const child = map[key];
    setOwn(
      kept,
      key,
      node === undefined ? child : removeItems(childType(type, key), child, node.children),
    );
    isEmpty = false;
  }
  return isEmpty ? null : kept;
}
