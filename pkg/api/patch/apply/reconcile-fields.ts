import type { FieldType, ObjectSchema } from "../../schema.ts";
import { type FieldNode, type FieldSet, leaf } from "./field-set.ts";
import type { PathElement } from "./path-element.ts";
import { childType, isNamedField, itemType, rootType } from "./typed.ts";

const reconciled = new WeakMap<FieldSet, { schema: ObjectSchema; set: FieldSet }>();

/**
 * The set as the schema has it now: who owned parts of a field that has become atomic owns all of it. The set itself
 * where nothing of the kind has happened.
 */
export function reconcileFields(schema: ObjectSchema, set: FieldSet): FieldSet {
  const before = reconciled.get(set);
  if (before?.schema === schema) return before.set;
  const now = reconcileChildren(rootType(schema), set);
  reconciled.set(set, { schema, set: now });
  return now;
}

function reconcileChildren(type: FieldType, set: FieldSet): FieldSet {
  let changed: Map<PathElement, FieldNode> | undefined;
  for (const [element, node] of set) {
    if (node.children.size === 0) continue;
    const now = reconcileNode(typeUnder(type, element), node);
    if (now === node) continue;
    changed ??= new Map(set);
    changed.set(element, now);
  }
  return changed ?? set;
}

function reconcileNode(type: FieldType, node: FieldNode): FieldNode {
  if (isAtomic(type)) return leaf;
  const children = reconcileChildren(type, node.children);
  return children === node.children ? node : { member: node.member, children };
}

function typeUnder(type: FieldType, element: PathElement): FieldType {
  if (!element.startsWith("f:")) return itemType(type);
  const key = element.slice(2);
  if (type.kind === "object" && !isNamedField(type, key)) return { kind: "any" };
  return childType(type, key);
}

function isAtomic(type: FieldType): boolean {
  switch (type.kind) {
    case "object":
      return type.schema().atomic;
    case "map":
      return type.atomic;
    case "list":
      return type.listType === "atomic";
    default:
      return false;
  }
}
