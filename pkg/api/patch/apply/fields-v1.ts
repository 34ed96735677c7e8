import { RecentWeakMap } from "../../../base/recent-weak-map.ts";
import { isJsonObject, type JsonDraft, type JsonObject } from "../json-value.ts";
import { type FieldNode, type FieldSet, leaf, noFields, sortedElements } from "./field-set.ts";
import { type PathElement, parseElement } from "./path-element.ts";

/**
 * What was read or written lately is not read again: stored objects are shared, and so are their fields. A set is larger
 * than the object that it is of: of all objects, they would take most of the memory.
 */
const known = new RecentWeakMap<JsonObject, FieldSet>(1_024);

/** The set that a `fieldsV1` value stands for. Throws when it is malformed; kinds of elements not known are dropped. */
export function decodeFieldsV1(fields: unknown): FieldSet {
  if (fields === undefined || fields === null) return noFields;
  if (!isJsonObject(fields)) throw new Error("fieldsV1 is not an object");
  const before = known.get(fields);
  if (before !== undefined) return before;
  const { children } = readNode(fields);
  known.set(fields, children);
  return children;
}

function readNode(fields: JsonObject): FieldNode {
  let member = false;
  const children = new Map<PathElement, FieldNode>();
  for (const key of Object.keys(fields)) {
    if (key === ".") {
      member = true;
      continue;
    }
    const element = parseElement(key);
    if (element === undefined) continue;
    const value = fields[key];
    if (!isJsonObject(value)) throw new Error(`${JSON.stringify(key)} is not an object`);
    children.set(element, readNode(value));
  }
  if (children.size === 0) return leaf;
  return { member, children };
}

/** The `fieldsV1` value of a set, sorted as Kubernetes sorts it. Remembered by identity: not to be written to. */
export function encodeFieldsV1(set: FieldSet): JsonObject {
  const fields = writeChildren(set, {});
  known.set(fields, set);
  return fields;
}

const writtenLeaf: JsonObject = Object.freeze({});

function writeNode(node: FieldNode): JsonObject {
  if (node.children.size === 0) return writtenLeaf;
  return writeChildren(node.children, node.member ? { ".": writtenLeaf } : {});
}

function writeChildren(set: FieldSet, fields: JsonDraft): JsonObject {
  for (const element of sortedElements(set)) {
    fields[element] = writeNode(set.get(element) ?? leaf);
  }
  return fields;
}
