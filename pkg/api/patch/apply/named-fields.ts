import type { FieldType } from "../../schema.ts";
import type { FieldNode, FieldSet } from "./field-set.ts";
import type { PathElement } from "./path-element.ts";
import { anyType, childType, isNamedField, itemType } from "./typed.ts";

/**
 * The set with each named field that it goes through made a member: who owns `spec.replicas` then counts as owner of
 * `spec`. Keys of maps and items of lists are left as they are.
 */
export function withNamedFields(type: FieldType, set: FieldSet): FieldSet {
  const named = new Map<PathElement, FieldNode>();
  for (const [element, node] of set) {
    const key = element.startsWith("f:") ? element.slice(2) : undefined;
    const member =
      node.member || (key !== undefined && node.children.size > 0 && isNamedField(type, key));
    const child =
      key !== undefined
        ? childType(type, key)
        : element.startsWith("k:")
          ? itemType(type)
          : anyType;
    named.set(element, {
      member,
      children: node.children.size === 0 ? node.children : withNamedFields(child, node.children),
    });
  }
  return named;
}
