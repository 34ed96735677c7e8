import type { FieldType, ObjectSchema } from "../../schema.ts";
import { goPrint } from "../go-print.ts";
import {
  isJsonList,
  isJsonObject,
  type JsonDraft,
  type JsonObject,
  ownValue,
  setOwn,
} from "../json-value.ts";
import { keyElement, type PathElement, valueElement } from "./path-element.ts";

/** How a value is owned: as one leaf, field by field, or item by item. */
export type Shape = "leaf" | "map" | "list";
export type ListType = FieldType & { readonly kind: "list" };

export const anyType: FieldType = { kind: "any" };

const rootTypes = new WeakMap<ObjectSchema, FieldType>();

/** The type of a whole object of this schema. */
export function rootType(schema: ObjectSchema): FieldType {
  const known = rootTypes.get(schema);
  if (known !== undefined) return known;
  const type: FieldType = { kind: "object", schema: () => schema };
  rootTypes.set(schema, type);
  return type;
}

/** The shape of a value of this type. What has no type of its own takes the shape of the value; lists are then leaves. */
export function shapeOf(type: FieldType, value: unknown): Shape {
  switch (type.kind) {
    case "object":
      return type.schema().atomic ? "leaf" : "map";
    case "map":
      return type.atomic ? "leaf" : "map";
    case "list":
      return type.listType === "atomic" ? "leaf" : "list";
    case "any":
      return isJsonObject(value) ? "map" : "leaf";
    default:
      return "leaf";
  }
}

/** The type of what a map or an object has under this key; what is not declared has any type. */
export function childType(type: FieldType, key: string): FieldType {
  if (type.kind === "object") return type.schema().fields.get(key)?.type ?? anyType;
  return type.kind === "map" ? type.value : anyType;
}

/** Whether the key is a field that the schema names: those are owned only through what is in them. */
export function isNamedField(type: FieldType, key: string): boolean {
  return type.kind === "object" && type.schema().fields.has(key);
}

export function itemType(type: FieldType): FieldType {
  return type.kind === "list" ? type.item : anyType;
}

export function asMap(value: unknown): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}

export function asList(value: unknown): readonly unknown[] | undefined {
  return isJsonList(value) ? value : undefined;
}

/** Null, absent, or with nothing in it. */
export function isEmptyContainer(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (isJsonList(value)) return value.length === 0;
  if (!isJsonObject(value)) return true;
  for (const key of Object.keys(value)) if (value[key] !== undefined) return false;
  return true;
}

/** The element that stands for an item of a set or a keyed list. Throws a sentence when the item has none. */
export function itemElement(type: ListType, item: unknown): PathElement {
  return type.mapKeys.length > 0 ? keyedItemElement(type, item) : setItemElement(item);
}

function keyedItemElement(type: ListType, item: unknown): PathElement {
  if (item === null || item === undefined) {
    throw new Error("associative list with keys may not have a null element");
  }
  if (!isJsonObject(item)) {
    throw new Error("associative list with keys may not have non-map elements");
  }
  const keys: [string, unknown][] = [];
  for (const name of type.mapKeys) {
    const value = ownValue(item, name) ?? keyDefault(type.item, name);
    if (value !== undefined) keys.push([name, value]);
  }
  if (keys.length === 0) {
    throw new Error(
      `associative list with keys has an element that omits all key fields [${type.mapKeys.map((name) => JSON.stringify(name)).join(" ")}] (and doesn't have default values for any key fields)`,
    );
  }
  return keyElement(keys);
}

function keyDefault(item: FieldType, name: string): unknown {
  if (item.kind !== "object") return undefined;
  const value = item.schema().fields.get(name)?.zeroValue;
  return value === null ? undefined : value;
}

function setItemElement(item: unknown): PathElement {
  if (item === null || item === undefined) {
    throw new Error("associative list without keys has an element that's an explicit null");
  }
  if (isJsonList(item)) {
    throw new Error("not supported: associative list with lists as elements");
  }
  if (isJsonObject(item)) {
    throw new Error("associative list without keys has an element that's a map type");
  }
  return valueElement(item);
}

/** The items of a list by their elements, in order. Items that have no element are left out. */
export function itemsByElement(
  type: ListType,
  list: readonly unknown[],
): ReadonlyMap<PathElement, readonly unknown[]> {
  const items = new Map<PathElement, unknown[]>();
  for (const item of list) {
    const element = elementOrUndefined(type, item);
    if (element === undefined) continue;
    const others = items.get(element);
    if (others === undefined) items.set(element, [item]);
    else others.push(item);
  }
  return items;
}

export function elementOrUndefined(type: ListType, item: unknown): PathElement | undefined {
  try {
    return itemElement(type, item);
  } catch {
    return undefined;
  }
}

const emptyObjects = new WeakMap<ObjectSchema, JsonObject>();

/**
 * What Go makes of an object that says nothing: embedded structs are there and empty. Ownership of a new object is
 * what it has beyond this, so that nobody owns `spec` as such.
 */
export function emptyObject(schema: ObjectSchema): JsonObject {
  const known = emptyObjects.get(schema);
  if (known !== undefined) return known;
  const empty: JsonDraft = {};
  for (const field of schema.fields.values()) {
    const { zeroValue, type, required } = field;
    if (type.kind === "object" && isJsonObject(zeroValue)) {
      setOwn(empty, field.name, emptyObject(type.schema()));
    } else if (zeroValue !== undefined) {
      setOwn(empty, field.name, zeroValue);
    } else if (required) {
      setOwn(empty, field.name, null);
    }
  }
  emptyObjects.set(schema, Object.freeze(empty));
  return empty;
}

/** A value in a message about its type, as Go's `%v` prints the library's wrapper of it. */
export function printWrapped(value: unknown): string {
  return `&{${goPrint(value)}}`;
}
