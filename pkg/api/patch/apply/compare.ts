import type { FieldType } from "../../schema.ts";
import { equalJson, ownValue } from "../json-value.ts";
import { type FieldNode, type FieldSet, fieldNode, leaf, noFields } from "./field-set.ts";
import { fieldElement, type PathElement } from "./path-element.ts";
import {
  asList,
  asMap,
  childType,
  isEmptyContainer,
  itemsByElement,
  type ListType,
  shapeOf,
} from "./typed.ts";

/** Where two objects differ. No path is in two of the sets; all are empty when the objects are equal. */
export interface Comparison {
  /** Only the first object has them. */
  readonly removed: FieldSet;
  /** Both have them, with different values. */
  readonly modified: FieldSet;
  /** Only the second object has them. */
  readonly added: FieldSet;
}

export const noDifference: Comparison = { removed: noFields, modified: noFields, added: noFields };

/** The same, of the value at one path: the nodes stand for that path. */
interface Delta {
  readonly removed: FieldNode | undefined;
  readonly modified: FieldNode | undefined;
  readonly added: FieldNode | undefined;
}

const modifiedLeaf: Delta = { removed: undefined, modified: leaf, added: undefined };

/** Compares two values of one type, path by path, down to the leaves that the type knows. */
export function compareTyped(type: FieldType, previous: unknown, next: unknown): Comparison {
  const delta = compareValues(type, previous, next);
  if (delta === undefined) return noDifference;
  return {
    removed: delta.removed?.children ?? noFields,
    modified: delta.modified?.children ?? noFields,
    added: delta.added?.children ?? noFields,
  };
}

function compareValues(type: FieldType, previous: unknown, next: unknown): Delta | undefined {
  if (previous === next) return undefined;
  if (previous === undefined) return addedDelta(wholeNode(type, next));
  if (next === undefined) return removedDelta(wholeNode(type, previous));
  if (typeof previous !== "object" && typeof next !== "object") return modifiedLeaf;
  const shape = shapeOf(type, next);
  // Two empty containers are a leaf, so that null, {} and [] are told apart.
  const isLeaf =
    (shape === "leaf" && shapeOf(type, previous) === "leaf") ||
    (isEmptyContainer(previous) && isEmptyContainer(next));
  if (isLeaf) return equalJson(previous, next) ? undefined : modifiedLeaf;
  if (type.kind === "list") return compareLists(type, previous, next);
  return compareMaps(type, previous, next);
}

function addedDelta(added: FieldNode): Delta {
  return { removed: undefined, modified: undefined, added };
}

function removedDelta(removed: FieldNode): Delta {
  return { removed, modified: undefined, added: undefined };
}

function compareMaps(type: FieldType, previous: unknown, next: unknown): Delta | undefined {
  const before = asMap(previous);
  const after = asMap(next);
  const delta = new DeltaBuilder();
  // A value that is no map any more, or was none: the place itself changed hands as a leaf.
  if ((before === undefined && previous !== null) || (after === undefined && next !== null)) {
    delta.modifiedHere = true;
  }
  for (const key of Object.keys(after ?? {})) {
    const value = after?.[key];
    const other = before === undefined ? undefined : ownValue(before, key);
    if (value === other) continue;
    delta.add(fieldElement(key), compareValues(childType(type, key), other, value));
  }
  for (const key of Object.keys(before ?? {})) {
    const value = before?.[key];
    if (value === undefined) continue;
    if (after !== undefined && ownValue(after, key) !== undefined) continue;
    delta.add(fieldElement(key), compareValues(childType(type, key), value, undefined));
  }
  return delta.build();
}

function compareLists(type: ListType, previous: unknown, next: unknown): Delta | undefined {
  if (equalJson(previous, next)) return undefined;
  const before = itemsByElement(type, asList(previous) ?? []);
  const after = itemsByElement(type, asList(next) ?? []);
  const delta = new DeltaBuilder();
  for (const [element, items] of after) {
    delta.add(element, compareItems(type, before.get(element) ?? [], items));
  }
  for (const [element, items] of before) {
    if (!after.has(element)) delta.add(element, compareItems(type, items, []));
  }
  return delta.build();
}

/** Items that share an element are owned together, as one leaf. */
function compareItems(
  type: ListType,
  before: readonly unknown[],
  after: readonly unknown[],
): Delta | undefined {
  if (before.length < 2 && after.length < 2) return compareValues(type.item, before[0], after[0]);
  if (before.length >= 2 && after.length >= 2) {
    return equalJson(before, after) ? undefined : modifiedLeaf;
  }
  const [single] = before.length < 2 ? before : after;
  const nested = single === undefined ? undefined : wholeNode(type.item, single);
  if (before.length >= 2) return { removed: leaf, modified: undefined, added: nested };
  return { removed: nested, modified: undefined, added: leaf };
}

/** Every path in a value that only one side has, the place of the value itself among them. */
export function wholeNode(type: FieldType, value: unknown): FieldNode {
  const shape = shapeOf(type, value);
  if (shape === "leaf" || isEmptyContainer(value)) return leaf;
  const children = new Map<PathElement, FieldNode>();
  if (type.kind === "list") {
    for (const [element, items] of itemsByElement(type, asList(value) ?? [])) {
      children.set(element, items.length > 1 ? leaf : wholeNode(type.item, items[0]));
    }
  } else {
    const map = asMap(value) ?? {};
    for (const key of Object.keys(map)) {
      if (map[key] === undefined) continue;
      children.set(fieldElement(key), wholeNode(childType(type, key), map[key]));
    }
  }
  return { member: true, children };
}

class DeltaBuilder {
  modifiedHere = false;
  readonly #removed = new Map<PathElement, FieldNode>();
  readonly #modified = new Map<PathElement, FieldNode>();
  readonly #added = new Map<PathElement, FieldNode>();

  add(element: PathElement, delta: Delta | undefined): void {
    if (delta === undefined) return;
    if (delta.removed !== undefined) this.#removed.set(element, delta.removed);
    if (delta.modified !== undefined) this.#modified.set(element, delta.modified);
    if (delta.added !== undefined) this.#added.set(element, delta.added);
  }

  build(): Delta | undefined {
    const removed = fieldNode(false, this.#removed);
    const modified = fieldNode(this.modifiedHere, this.#modified);
    const added = fieldNode(false, this.#added);
    if (removed === undefined && modified === undefined && added === undefined) return undefined;
    return { removed, modified, added };
  }
}
