import type { FieldType } from "../../schema.ts";
import { isJsonObject } from "../json-value.ts";
import { type FieldNode, type FieldSet, fieldNode, leaf, noFields } from "./field-set.ts";
import { fieldElement, type PathElement } from "./path-element.ts";
import {
  asList,
  asMap,
  childType,
  isEmptyContainer,
  isNamedField,
  itemsByElement,
  type ListType,
  shapeOf,
} from "./typed.ts";

/** Every leaf and every item that a value mentions: what its applier comes to own. */
export function toFieldSet(type: FieldType, value: unknown): FieldSet {
  return nodeOf(type, value)?.children ?? noFields;
}

function nodeOf(type: FieldType, value: unknown): FieldNode | undefined {
  if (shapeOf(type, value) === "leaf") return leaf;
  return type.kind === "list"
    ? fieldNode(false, itemNodes(type, asList(value) ?? []))
    : fieldNode(false, mapNodes(type, value));
}

function itemNodes(type: ListType, list: readonly unknown[]): FieldSet {
  const nodes = new Map<PathElement, FieldNode>();
  for (const [element, items] of itemsByElement(type, list)) {
    const children =
      items.length > 1 ? noFields : (nodeOf(type.item, items[0])?.children ?? noFields);
    nodes.set(element, { member: true, children });
  }
  return nodes;
}

function mapNodes(type: FieldType, value: unknown): FieldSet {
  const map = asMap(value) ?? {};
  const nodes = new Map<PathElement, FieldNode>();
  for (const key of Object.keys(map)) {
    const child = map[key];
    if (child === undefined) continue;
    const node = nodeOf(childType(type, key), child);
    const isMember =
      node?.member === true ||
      child === null ||
      (isJsonObject(child) && isEmptyContainer(child)) ||
      !isNamedField(type, key);
    const whole = fieldNode(isMember, node?.children ?? noFields);
    if (whole !== undefined) nodes.set(fieldElement(key), whole);
  }
  return nodes;
}
